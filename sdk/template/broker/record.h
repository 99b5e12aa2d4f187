// Record: a message as bytes in a partition's file, so that a reader can tell a whole record from
// one that is being written, and a writer whether the file ends with a whole one. Pure functions,
// any thread.
//
// length (4 bytes) · checksum of the body (8) · body · length again (4); numbers little endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vouch/broker.h"

namespace broker_files {

inline constexpr std::size_t kRecordHead = 12;
inline constexpr std::size_t kRecordTail = 4;

/// What a record takes beside its body.
inline constexpr std::size_t kRecordFrame = kRecordHead + kRecordTail;

/// A message that owns its bytes.
struct StoredMessage {
  std::string key;
  std::string payload;
  std::vector<std::pair<std::string, std::string>> headers;
};

/// Bytes that count against max_message_bytes.
std::uint64_t bytes_of(const vouch::Message& message);

/// Appends the message's record to `out`.
void append_record(std::string& out, const vouch::Message& message);

/// Length of the body of the record that begins with these bytes. Pre: `head` has kRecordHead
/// bytes.
std::uint32_t body_length(std::string_view head);

/// The body of a whole record; nothing if it is not whole.
std::optional<std::string_view> body_of(std::string_view record);

/// Nothing if the body is not one that `append_record` wrote.
std::optional<StoredMessage> message_of(std::string_view body);

}  // namespace broker_files
