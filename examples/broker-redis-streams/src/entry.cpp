#include "entry.h"

#include <charconv>

namespace broker_redis {

namespace {

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::string_view> text_of(const redisReply* reply) {
  if (reply == nullptr || reply->type != REDIS_REPLY_STRING) return std::nullopt;
  return std::string_view(reply->str, reply->len);
}

}  // namespace

std::uint64_t bytes_of(const vouch::Message& message) {
  std::uint64_t bytes = message.key.size() + message.payload.size();
  for (const vouch::Header& header : message.headers) {
    bytes += header.name.size() + header.value.size();
  }
  return bytes;
}

std::vector<std::string> fields_of(const vouch::Message& message) {
  std::vector<std::string> fields;
  fields.reserve(4 + 2 * message.headers.size());
  fields.emplace_back(kKeyField);
  fields.emplace_back(message.key);
  fields.emplace_back(kPayloadField);
  fields.emplace_back(message.payload);
  for (const vouch::Header& header : message.headers) {
    fields.emplace_back(header.name);
    fields.emplace_back(header.value);
  }
  return fields;
}

std::optional<EntryView> entry_of(const redisReply& fields) {
  if (fields.type != REDIS_REPLY_ARRAY || fields.elements < 4 || fields.elements % 2 != 0) {
    return std::nullopt;
  }
  std::vector<std::string_view> texts;
  texts.reserve(fields.elements);
  for (std::size_t i = 0; i < fields.elements; ++i) {
    const auto text = text_of(fields.element[i]);
    if (!text) return std::nullopt;
    texts.push_back(*text);
  }
  if (texts[0] != kKeyField || texts[2] != kPayloadField) return std::nullopt;
  EntryView entry{texts[1], texts[3], {}};
  for (std::size_t i = 4; i < texts.size(); i += 2) {
    entry.headers.push_back({texts[i], texts[i + 1]});
  }
  return entry;
}

std::string EntryId::text() const {
  return std::to_string(milliseconds) + "-" + std::to_string(sequence);
}

std::optional<EntryId> EntryId::parse(std::string_view text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto milliseconds = number_of(text.substr(0, dash));
  const auto sequence = number_of(text.substr(dash + 1));
  if (!milliseconds || !sequence) return std::nullopt;
  return EntryId{*milliseconds, *sequence};
}

std::optional<EntryId> first_id_of(const redisReply& range) {
  if (range.type != REDIS_REPLY_ARRAY || range.elements == 0) return std::nullopt;
  const redisReply& entry = *range.element[0];
  if (entry.type != REDIS_REPLY_ARRAY || entry.elements != 2) return std::nullopt;
  const auto id = text_of(entry.element[0]);
  return id ? EntryId::parse(*id) : std::nullopt;
}

}  // namespace broker_redis
