// Outbound topic names with placeholders: "events.{category}". Immutable, any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vouch/event.h"
#include "vouch/status.h"

namespace vouch::format {

class TopicTemplate {
 public:
  /// Placeholders: {category}, {stream}, {type}. Errors: invalid_argument for an unknown or
  /// unclosed placeholder, or an empty template.
  static Result<TopicTemplate> parse(std::string_view text);

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] std::string expand(const EventView& event) const;

 private:
  enum class Part : std::uint8_t { literal, category, stream, type };
  struct Piece {
    Part part;
    std::string literal;
  };
  std::string text_;
  std::vector<Piece> pieces_;
};

}  // namespace vouch::format
