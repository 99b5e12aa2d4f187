// Walks over the members or elements of a value that was checked before; values are stepped over,
// not checked again. Any bytes are safe: text that is not JSON ends the walk early, and then
// `complete` is false. One walk, one thread.
#pragma once

#include <cstddef>
#include <string_view>

#include "format/json_text.h"

namespace vouch::format {

class JsonWalk {
 public:
  /// `text` is that of an object or an array, as `kind` says, and must outlive the walk.
  JsonWalk(JsonKind kind, std::string_view text);

  /// Goes to the next member or element; false behind the last.
  bool next();

  /// The key as it stands, with its quotes. Pre: an object.
  [[nodiscard]] std::string_view raw_key() const { return raw_key_; }
  [[nodiscard]] bool key_is(std::string_view name) const;
  [[nodiscard]] JsonSlice value() const { return value_; }

  /// Whether the end of the container was reached.
  [[nodiscard]] bool complete() const { return complete_; }

 private:
  bool read_key();
  bool read_value();
  void skip_space();
  bool skip_string();
  bool skip_container();
  void skip_scalar();
  [[nodiscard]] bool at(char c) const { return at_ < text_.size() && text_[at_] == c; }

  std::string_view text_;
  std::size_t at_ = 0;
  bool object_;
  bool first_ = true;
  bool ended_ = false;
  bool complete_ = false;
  std::string_view raw_key_;
  JsonSlice value_;
};

}  // namespace vouch::format
