// CloudEvents of all three modes: the first byte chooses. Whatever is taken is shown as JSON, goes
// out as a CloudEvent, and is the same event when that is read again.
#include "format/cloud_event.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "format/event_json.h"
#include "format/text_codec.h"
#include "fuzz_target.h"

namespace vouch::fuzz {
namespace {

constexpr Timestamp kNow{1'764'000'000'123'456};

EventView as_stored(const NewEvent& event) {
  return {event.id,   "order-7",          Version{42}, event.type,
          event.time, event.content_type, event.data,  event.metadata};
}

/// Space around a JSON value is not of the value: inside an envelope it can't be told from the
/// envelope's own (RFC 8259 section 2).
std::string_view value_of(const NewEvent& event) {
  std::string_view data = event.data;
  if (!format::is_json_media_type(event.content_type)) return data;
  constexpr std::string_view kSpace = " \t\n\r";
  const std::size_t begin = std::min(data.find_first_not_of(kSpace), data.size());
  data.remove_prefix(begin);
  return data.substr(0, data.find_last_not_of(kSpace) + 1);
}

void check_taken(const NewEvent& event) {
  demand(!event.type.empty(), "an event has a type");
  demand(event.metadata.empty() || format::parse_json(event.metadata).ok(), "metadata is JSON",
         event.metadata);
  demand(event.data.empty() || !format::is_json_media_type(event.content_type) ||
             format::parse_json(event.data).ok(),
         "data that is called JSON is JSON", event.data);
  std::string shown;
  format::append_event_json(shown, as_stored(event));
  demand(format::parse_json(shown).ok(), "an event is shown as JSON", shown);

  std::string out;
  format::append_cloud_event(out, as_stored(event), "shop", true);
  const auto document = format::parse_json(out);
  demand(document.ok(), "what goes out is JSON", out);
  const auto again = format::read_cloud_event(*document, kNow);
  demand(again.ok(), "what goes out is a CloudEvent", out);
  demand(again->type == event.type, "the type stays", out);
  demand(format::time_text(again->time) == format::time_text(event.time), "the time stays", out);
  demand(again->content_type == event.content_type, "the content type stays", out);
  demand(again->data == value_of(event), "the data stays", out);
}

void read_structured(std::string_view text) {
  const auto document = format::parse_json(text);
  if (!document.ok()) return;
  const auto event = format::read_cloud_event(*document, kNow);
  if (event.ok()) check_taken(*event);
}

void read_batch(std::string_view text) {
  const auto document = format::parse_json(text);
  if (!document.ok() || document->kind != format::JsonKind::array) return;
  for (const format::JsonSlice& element : format::json_elements(*document)) {
    const auto event = format::read_cloud_event(element, kNow);
    if (event.ok()) check_taken(*event);
  }
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

/// Lines "name:value" up to an empty one, a line with the content type, the body.
void read_binary(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> attributes;
  for (std::string_view line = take_line(text); !line.empty(); line = take_line(text)) {
    const std::size_t colon = std::min(line.find(':'), line.size());
    attributes.emplace_back(line.substr(0, colon), line.substr(std::min(colon + 1, line.size())));
  }
  const std::string_view content_type = take_line(text);
  const auto event = format::read_cloud_event(attributes, content_type, text, kNow);
  if (event.ok()) check_taken(*event);
}

}  // namespace
}  // namespace vouch::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = vouch::fuzz::text_of(data, size);
  if (text.empty()) return 0;
  const char mode = text.front();
  text.remove_prefix(1);
  if (mode == 'b') {
    vouch::fuzz::read_binary(text);
  } else if (mode == 'l') {
    vouch::fuzz::read_batch(text);
  } else {
    vouch::fuzz::read_structured(text);
  }
  return 0;
}
