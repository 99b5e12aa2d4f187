#include "parameters.h"

#include <charconv>

#include "accept.h"
#include "format/text_codec.h"
#include "problem.h"

namespace vouch::http {

std::optional<std::uint64_t> parse_number(std::string_view text) {
  if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::chrono::milliseconds> parse_wait(std::string_view text) {
  const std::size_t digits = text.find_first_not_of("0123456789");
  if (digits == std::string_view::npos || digits > 9) return std::nullopt;
  const auto number = parse_number(text.substr(0, digits));
  if (!number) return std::nullopt;
  const std::string_view unit = text.substr(digits);
  const auto count = static_cast<std::int64_t>(*number);
  if (unit == "ms") return std::chrono::milliseconds(count);
  if (unit == "s") return std::chrono::seconds(count);
  if (unit == "m") return std::chrono::minutes(count);
  return std::nullopt;
}

StreamName path_stream(const Request& request) {
  auto stream = StreamName::parse(request.captures.at(0));
  if (!stream.ok()) reject(ProblemType::bad_request, stream.status().message());
  return *std::move(stream);
}

std::optional<std::uint64_t> query_number(const Request& request, std::string_view name,
                                          std::uint64_t least, std::uint64_t most) {
  const auto text = request.query.find(name);
  if (!text) return std::nullopt;
  const auto number = parse_number(*text);
  if (!number || *number < least || *number > most) {
    reject(ProblemType::bad_request, "the query parameter \"" + std::string(name) +
                                         "\" must be a number from " + std::to_string(least) +
                                         " to " + std::to_string(most));
  }
  return number;
}

std::optional<Cursor> query_cursor(const Request& request, std::string_view name) {
  const auto text = request.query.find(name);
  if (!text) return std::nullopt;
  auto cursor = format::cursor_from_text(*text);
  if (!cursor) {
    reject(ProblemType::bad_request,
           "the query parameter \"" + std::string(name) +
               "\" must be a cursor that this API gave out, or \"start\"");
  }
  return cursor;
}

bool is_category(std::string_view text) {
  return StreamName::valid(text) && text.find('-') == std::string_view::npos;
}

FeedFilter query_filter(const Request& request) {
  FeedFilter filter;
  const auto category = request.query.find("category");
  if (category) {
    if (!is_category(*category)) {
      reject(ProblemType::bad_request,
             "the query parameter \"category\" must be the part of a stream name before its first "
             "\"-\"");
    }
    filter.category = *category;
  }
  const auto type = request.query.find("type");
  if (type) {
    if (type->empty()) {
      reject(ProblemType::bad_request, "the query parameter \"type\" must not be empty");
    }
    filter.type = *type;
  }
  const auto stream = request.query.find("stream");
  if (stream) {
    const auto name = StreamName::parse(*stream);
    if (!name.ok()) {
      reject(ProblemType::bad_request,
             "the query parameter \"stream\": " + name.status().message());
    }
    filter.stream = *stream;
  }
  return filter;
}

void demand_json(const Request& request, std::string_view what) {
  const auto content_type = request.fields.find("Content-Type");
  const auto type = content_type ? parse_media_type(*content_type) : std::nullopt;
  const bool json = type && type->name == kJson &&
                    (type->charset.empty() || type->charset == "utf-8" || type->charset == "utf8");
  if (!json) {
    reject(ProblemType::unsupported_media_type, std::string(what) + " as application/json");
  }
}

bool matches_etag(std::string_view list, std::string_view tag) {
  if (list == "*") return true;
  std::size_t at = 0;
  while (at < list.size()) {
    const std::size_t open = list.find('"', at);
    if (open == std::string_view::npos) return false;
    const std::size_t close = list.find('"', open + 1);
    if (close == std::string_view::npos) return false;
    if (list.substr(open, close - open + 1) == tag) return true;
    at = close + 1;
  }
  return false;
}

std::string etag(Version version) {
  return '"' + std::to_string(version.value) + '"';
}

}  // namespace vouch::http
