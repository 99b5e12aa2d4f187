// Outbound topic names with placeholders: "events.{category}". Immutable, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vouch/event.h"
#include "vouch/status.h"

namespace vouch::format {

class TopicTemplate {
 public:
  /// Placeholders: {category}, {stream}, {type}. Errors: invalid_argument for an unknown
  /// placeholder, a brace without its other half, or an empty template.
  static Result<TopicTemplate> parse(std::string_view text);

  [[nodiscard]] const std::string& text() const { return text_; }
  /// The topic of an event. Values are put in as they are: what is legal in a topic differs from
  /// broker to broker.
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
