#include "event_pages.h"

#include <algorithm>
#include <chrono>

#include "format/event_json.h"
#include "format/text_codec.h"

namespace vouch::http {
namespace {

/// A filter that matches little must not hold a request for as long as the whole feed takes.
constexpr std::chrono::seconds kReadTime{1};

}  // namespace

void append_event_line(std::string& out, const EventView& event, std::string_view cursor_text) {
  const std::size_t start = out.size();
  format::append_event_json(out, event, cursor_text);
  for (const char c : {'\n', '\r'}) {
    for (std::size_t at = start; (at = out.find(c, at)) != std::string::npos;) out[at] = ' ';
  }
}

void EventWriter::append(std::string& out, const EventView& event, std::string_view cursor_text) {
  if (format_ == EventFormat::ndjson) {
    append_event_line(out, event, cursor_text);
    out += '\n';
    return;
  }
  if (!first_) out += ',';
  first_ = false;
  if (format_ == EventFormat::json) {
    format::append_event_json(out, event, cursor_text);
  } else {
    format::append_cloud_event(out, event, store_);
  }
}

StreamPager::StreamPager(Reader& reader, Range range, EventWriter writer)
    : reader_(reader), range_(std::move(range)), writer_(std::move(writer)) {}

std::optional<Version> StreamPager::next() const {
  const bool more =
      range_.direction == Direction::forward ? range_.from <= range_.head : range_.from.value > 0;
  return more ? std::optional(range_.from) : std::nullopt;
}

Status StreamPager::read(std::string& out, std::size_t max_bytes) {
  out_ = &out;
  stop_size_ = out.size() + max_bytes;
  while (!done() && out.size() < stop_size_) {
    given_ = 0;
    const auto limit =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(range_.limit, kPageEvents));
    const Status read = reader_.stream(range_.stream, range_.from, range_.direction, limit, *this);
    if (!read.ok()) return read;
    if (given_ == 0) {
      return {StatusCode::corrupt, "the stream " + range_.stream.str() + " has no event " +
                                       std::to_string(range_.from.value) + " below its head " +
                                       std::to_string(range_.head.value)};
    }
  }
  return {};
}

bool StreamPager::event(const EventView& event) {
  // What was appended after the head was asked for belongs to a later answer.
  if (event.version != range_.from || event.version > range_.head) return false;
  writer_.append(*out_, event);
  ++given_;
  --range_.limit;
  range_.from.value += range_.direction == Direction::forward ? 1 : std::uint64_t(-1);
  return !done() && out_->size() < stop_size_;
}

FeedPager::FeedPager(Reader& reader, FeedQuery query, std::uint64_t limit, EventWriter writer)
    : reader_(reader), query_(std::move(query)), limit_(limit), writer_(std::move(writer)) {}

Status FeedPager::read(std::string& out, std::size_t max_bytes) {
  out_ = &out;
  stop_size_ = out.size() + max_bytes;
  full_ = false;
  const auto enough = std::chrono::steady_clock::now() + kReadTime;
  while (!done() && !full_ && std::chrono::steady_clock::now() < enough) {
    query_.limit = static_cast<std::uint32_t>(std::min<std::uint64_t>(limit_, kPageEvents));
    auto page = reader_.feed(query_, *this);
    if (!page.ok()) return page.status();
    query_.after = std::move(page->next);
    at_end_ = page->at_end;
  }
  return {};
}

bool FeedPager::event(const EventView& event, std::string_view after) {
  writer_.append(*out_, event, format::cursor_text(after));
  --limit_;
  full_ = out_->size() >= stop_size_;
  return limit_ > 0 && !full_;
}

}  // namespace vouch::http
