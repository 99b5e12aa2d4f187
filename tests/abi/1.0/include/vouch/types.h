// The vocabulary that every room and every plugin speaks: streams, versions, partitions, lanes,
// cursors, transaction tokens. Strong types, so that one number can't be taken for another. Plain
// values, any thread.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "vouch/event_id.h"
#include "vouch/status.h"

namespace vouch {

/// Microseconds since the Unix epoch, UTC.
struct Timestamp {
  std::int64_t micros = 0;
  auto operator<=>(const Timestamp&) const = default;
};

/// Place of an event in its stream: dense, from 1. A stream that does not exist is at version 0.
struct Version {
  std::uint64_t value = 0;
  auto operator<=>(const Version&) const = default;
  [[nodiscard]] Version next() const { return Version{value + 1}; }
};

/// Number of a partition, from 0 to the store's partition count - 1.
struct Partition {
  std::uint32_t value = 0;
  auto operator<=>(const Partition&) const = default;
};

/// Number of a lane, from 0. A lane number belongs to one session at a time in the whole store.
struct LaneNumber {
  std::uint32_t value = 0;
  auto operator<=>(const LaneNumber&) const = default;
};

/// Number of a transaction within its lane: the lane's incarnation in the high 32 bits, so that a
/// number is never used twice, not even after a crash.
struct BatchNumber {
  std::uint64_t value = 0;
  auto operator<=>(const BatchNumber&) const = default;
};

/// Order of deliveries within a partition: of two deliveries with events of one stream, the one
/// with the smaller number holds the smaller versions. Unique within the store, from 1.
struct LedgerNumber {
  std::uint64_t value = 0;
  auto operator<=>(const LedgerNumber&) const = default;
};

/// Name of a stream: 1 to 255 bytes of ASCII letters, digits and `- . _ : @ ~`; but not "." or
/// "..", which every URL library takes out of a path (RFC 3986 section 5.2.4).
class StreamName {
 public:
  static constexpr std::size_t kMaxBytes = 255;

  /// The default is the empty name, which names no stream.
  StreamName() = default;

  /// Whether `text` is a legal name.
  static bool valid(std::string_view text) {
    if (text.empty() || text.size() > kMaxBytes || text == "." || text == "..") return false;
    for (const char c : text) {
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      const bool digit = c >= '0' && c <= '9';
      const bool mark = c == '-' || c == '.' || c == '_' || c == ':' || c == '@' || c == '~';
      if (!letter && !digit && !mark) return false;
    }
    return true;
  }

  /// invalid_argument with the reason when `text` is not a legal name.
  static Result<StreamName> parse(std::string_view text) {
    if (valid(text)) return StreamName(std::string(text));
    return Status(StatusCode::invalid_argument,
                  "a stream name is 1 to 255 bytes of letters, digits and - . _ : @ ~, and not . "
                  "or ..");
  }

  /// For names that were checked before, for example those read back from the database.
  static StreamName unchecked(std::string text) { return StreamName(std::move(text)); }

  [[nodiscard]] const std::string& str() const { return text_; }
  [[nodiscard]] std::string_view view() const { return text_; }
  [[nodiscard]] std::string_view category() const { return category_of(text_); }

  /// The part before the first `-`, or the whole name.
  static std::string_view category_of(std::string_view stream) {
    return stream.substr(0, stream.find('-'));
  }

  auto operator<=>(const StreamName&) const = default;

 private:
  explicit StreamName(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

/// The partition of a stream: 64-bit FNV-1a over the name's bytes, finished with MurmurHash3's
/// fmix64 (FNV alone is weak in its low bits), modulo `count`. Fixed for ever: stores depend on it.
/// Pre: count > 0.
constexpr Partition partition_of(std::string_view stream, std::uint32_t count) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : stream) {
    hash ^= static_cast<std::uint8_t>(c);
    hash *= 0x100000001b3ULL;
  }
  hash ^= hash >> 33U;
  hash *= 0xff51afd7ed558ccdULL;
  hash ^= hash >> 33U;
  hash *= 0xc4ceb9fe1a85ec53ULL;
  hash ^= hash >> 33U;
  return Partition{static_cast<std::uint32_t>(hash % count)};
}

/// What an append demands of a stream's version.
struct ExpectedVersion {
  enum class Kind : std::uint8_t {
    any,     ///< no demand
    none,    ///< the stream must not exist
    exists,  ///< the stream must exist
    exact,   ///< the stream must be at `version`
  };
  Kind kind = Kind::any;
  Version version;  ///< used by `exact` only

  static ExpectedVersion any() { return {}; }
  static ExpectedVersion none() { return {Kind::none, {}}; }
  static ExpectedVersion exists() { return {Kind::exists, {}}; }
  static ExpectedVersion exact(Version version) { return {Kind::exact, version}; }

  /// Whether a stream at version `actual` fulfils it.
  [[nodiscard]] bool met_by(Version actual) const {
    switch (kind) {
      case Kind::any:
        return true;
      case Kind::none:
        return actual.value == 0;
      case Kind::exists:
        return actual.value > 0;
      case Kind::exact:
        return actual == version;
    }
    return false;
  }

  auto operator<=>(const ExpectedVersion&) const = default;
};

/// Names one database transaction of one lane, for ever. `native` is what the storage plugin needs
/// besides to ask its database about it (at most 64 bytes); opaque to everybody else.
struct Token {
  LaneNumber lane;
  BatchNumber batch;
  std::string native;
  auto operator<=>(const Token&) const = default;
};

/// A place in the feed of all events: bytes that only the storage plugin understands. The empty
/// cursor is the place before the first event.
struct Cursor {
  std::string bytes;
  auto operator<=>(const Cursor&) const = default;
};

/// One (transaction, partition) of the ledger.
struct DeliveryId {
  Partition partition;
  LedgerNumber number;
  auto operator<=>(const DeliveryId&) const = default;
};

/// What a backend says of itself: able to serve, or in words what is wrong and since when.
struct Health {
  bool ok = false;
  std::string detail;
};

}  // namespace vouch
