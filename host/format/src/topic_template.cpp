// Topic templates are split into pieces once, so that expanding one is a few appends.
#include "format/topic_template.h"

#include <algorithm>
#include <utility>

#include "format/json_text.h"

namespace vouch::format {
namespace {

Status refused(std::string_view text, std::string_view why) {
  std::string message = "the topic ";
  append_json_string(message, text);  // on one line, whatever it holds
  message += ' ';
  message += why;
  return Status(StatusCode::invalid_argument, std::move(message));
}

}  // namespace

Result<TopicTemplate> TopicTemplate::parse(std::string_view text) {
  if (text.empty()) return Status(StatusCode::invalid_argument, "a topic can't be empty");
  TopicTemplate topic;
  topic.text_ = text;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t open = std::min(text.find_first_of("{}", at), text.size());
    if (open > at) topic.pieces_.push_back({Part::literal, std::string(text, at, open - at)});
    if (open == text.size()) break;
    if (text[open] == '}') return refused(text, "has a '}' without a '{'");
    const std::size_t close = text.find('}', open);
    if (close == std::string_view::npos) return refused(text, "has a '{' without a '}'");
    const std::string_view name = text.substr(open + 1, close - open - 1);
    if (name == "category") {
      topic.pieces_.push_back({Part::category, {}});
    } else if (name == "stream") {
      topic.pieces_.push_back({Part::stream, {}});
    } else if (name == "type") {
      topic.pieces_.push_back({Part::type, {}});
    } else {
      return refused(text, "has an unknown placeholder; known are {category}, {stream}, {type}");
    }
    at = close + 1;
  }
  return topic;
}

std::string TopicTemplate::expand(const EventView& event) const {
  std::string topic;
  for (const Piece& piece : pieces_) {
    switch (piece.part) {
      case Part::literal:
        topic += piece.literal;
        break;
      case Part::category:
        topic += StreamName::category_of(event.stream);
        break;
      case Part::stream:
        topic += event.stream;
        break;
      case Part::type:
        topic += event.type;
        break;
    }
  }
  return topic;
}

}  // namespace vouch::format
