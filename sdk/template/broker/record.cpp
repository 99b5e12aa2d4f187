#include "record.h"

namespace broker_files {
namespace {

/// 64-bit FNV-1a: finds what a crash tears, which is all that it is for.
std::uint64_t checksum(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : bytes) {
    hash ^= static_cast<std::uint8_t>(c);
    hash *= 0x100000001b3ULL;
  }
  return hash;
}

template <typename Number>
void put_number(std::string& out, Number value) {
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    out.push_back(static_cast<char>(value >> (8 * i)));
  }
}

template <typename Number>
Number number_at(std::string_view bytes, std::size_t at) {
  Number value = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    value |= Number{static_cast<std::uint8_t>(bytes[at + i])} << (8 * i);
  }
  return value;
}

void put_text(std::string& out, std::string_view text) {
  put_number(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}

/// Takes texts off the front of a body; `good` is false once there was not enough.
struct Taker {
  std::string_view rest;
  bool good = true;

  std::uint32_t number() {
    good = good && rest.size() >= 4;
    if (!good) return 0;
    const auto value = number_at<std::uint32_t>(rest, 0);
    rest.remove_prefix(4);
    return value;
  }
  std::string text() {
    const std::uint32_t length = number();
    good = good && rest.size() >= length;
    if (!good) return {};
    std::string value(rest.substr(0, length));
    rest.remove_prefix(length);
    return value;
  }
};

}  // namespace

std::uint64_t bytes_of(const vouch::Message& message) {
  std::uint64_t bytes = message.key.size() + message.payload.size();
  for (const vouch::Header& header : message.headers) {
    bytes += header.name.size() + header.value.size();
  }
  return bytes;
}

void append_record(std::string& out, const vouch::Message& message) {
  std::string body;
  body.reserve(bytes_of(message) + 64);
  put_text(body, message.key);
  put_number(body, static_cast<std::uint32_t>(message.headers.size()));
  for (const vouch::Header& header : message.headers) {
    put_text(body, header.name);
    put_text(body, header.value);
  }
  put_text(body, message.payload);
  const auto length = static_cast<std::uint32_t>(body.size());
  put_number(out, length);
  put_number(out, checksum(body));
  out += body;
  put_number(out, length);
}

std::uint32_t body_length(std::string_view head) {
  return number_at<std::uint32_t>(head, 0);
}

std::optional<std::string_view> body_of(std::string_view record) {
  if (record.size() < kRecordFrame) return std::nullopt;
  const std::uint32_t length = body_length(record);
  if (record.size() != kRecordFrame + length) return std::nullopt;
  const std::string_view body = record.substr(kRecordHead, length);
  if (number_at<std::uint64_t>(record, 4) != checksum(body)) return std::nullopt;
  if (number_at<std::uint32_t>(record, kRecordHead + length) != length) return std::nullopt;
  return body;
}

std::optional<StoredMessage> message_of(std::string_view body) {
  Taker taker{body};
  StoredMessage message;
  message.key = taker.text();
  const std::uint32_t headers = taker.number();
  for (std::uint32_t i = 0; i < headers && taker.good; ++i) {
    std::string name = taker.text();
    message.headers.emplace_back(std::move(name), taker.text());
  }
  message.payload = taker.text();
  if (!taker.good || !taker.rest.empty()) return std::nullopt;
  return message;
}

}  // namespace broker_files
