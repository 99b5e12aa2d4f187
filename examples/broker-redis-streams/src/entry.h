// Entry: a message as an entry of a Redis stream, and its id. The first field is the key, the
// second the payload, whatever they are called; the others are the headers under their own names,
// so that consumers find the attributes of a CloudEvent in binary mode by name. By place, not by
// name, since a header may be called anything. Pure functions, any thread.
#pragma once

#include <hiredis/hiredis.h>

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vouch/broker.h"

namespace broker_redis {

inline constexpr std::string_view kKeyField = "key";
inline constexpr std::string_view kPayloadField = "data";

/// Bytes that count against max_message_bytes.
std::uint64_t bytes_of(const vouch::Message& message);

/// Names and values in turn, as XADD takes them.
std::vector<std::string> fields_of(const vouch::Message& message);

/// What an entry holds; lent by the reply it was made of.
struct EntryView {
  std::string_view key;
  std::string_view payload;
  std::vector<vouch::Header> headers;
};

/// Nothing if these are not fields that `fields_of` made.
std::optional<EntryView> entry_of(const redisReply& fields);

/// "1526919030474-55": ids of a stream rise.
struct EntryId {
  std::uint64_t milliseconds = 0;
  std::uint64_t sequence = 0;

  [[nodiscard]] std::string text() const;
  static std::optional<EntryId> parse(std::string_view text);
  auto operator<=>(const EntryId&) const = default;
};

/// The id of the first entry of an answer to XRANGE or XREVRANGE; nothing if it has none.
std::optional<EntryId> first_id_of(const redisReply& range);

}  // namespace broker_redis
