#include "follow_format.h"

#include "event_pages.h"
#include "format/text_codec.h"

namespace vouch::http {
namespace {

/// One line of its own: a line break inside would begin another field.
void append_single_line(std::string& out, std::string_view text) {
  for (const char c : text) out += c == '\n' || c == '\r' ? ' ' : c;
}

void append_ndjson_mark(std::string& out, std::string_view kind, std::string_view cursor) {
  out.append(R"({"kind":")").append(kind).append(R"(","cursor":")");
  out.append(format::cursor_text(cursor)).append("\"}\n");
}

}  // namespace

void append_follow_event(std::string& out, FollowFormat format, const EventView& event,
                         std::string_view cursor) {
  const std::string cursor_text = format::cursor_text(cursor);
  if (format == FollowFormat::ndjson) {
    out.append(R"({"kind":"event","cursor":")").append(cursor_text).append(R"(","event":)");
    append_event_line(out, event, {});
    out += "}\n";
    return;
  }
  out.append("id: ").append(cursor_text).append("\nevent: ");
  append_single_line(out, event.type);
  out += "\ndata: ";
  append_event_line(out, event, {});
  out += "\n\n";
}

void append_caught_up(std::string& out, FollowFormat format, std::string_view cursor) {
  if (format == FollowFormat::ndjson) return append_ndjson_mark(out, "caught-up", cursor);
  // A browser drops an event without data.
  out.append("id: ").append(format::cursor_text(cursor));
  out.append("\nevent: caught-up\ndata: {}\n\n");
}

void append_heartbeat(std::string& out, FollowFormat format, std::string_view cursor) {
  if (format == FollowFormat::ndjson) return append_ndjson_mark(out, "heartbeat", cursor);
  out += ": heartbeat\n\n";
}

bool matches(const FeedFilter& filter, const EventView& event) {
  if (!filter.stream.empty() && filter.stream != event.stream) return false;
  if (!filter.type.empty() && filter.type != event.type) return false;
  return filter.category.empty() || filter.category == StreamName::category_of(event.stream);
}

}  // namespace vouch::http
