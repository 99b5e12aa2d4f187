// JsonObject writes one JSON object member by member. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "format/json_text.h"

namespace vouch::app {

class JsonObject {
 public:
  JsonObject& text(std::string_view key, std::string_view value) {
    begin(key);
    format::append_json_string(out_, value);
    return *this;
  }
  JsonObject& number(std::string_view key, std::uint64_t value) {
    return raw(key, std::to_string(value));
  }
  JsonObject& boolean(std::string_view key, bool value) {
    return raw(key, value ? "true" : "false");
  }
  /// `json` is the text of a JSON value.
  JsonObject& raw(std::string_view key, std::string_view json) {
    begin(key);
    out_ += json;
    return *this;
  }
  /// The whole object.
  [[nodiscard]] std::string str() const { return out_.empty() ? "{}" : out_ + "}"; }

 private:
  void begin(std::string_view key) {
    out_ += out_.empty() ? '{' : ',';
    format::append_json_string(out_, key);
    out_ += ':';
  }
  std::string out_;
};

}  // namespace vouch::app
