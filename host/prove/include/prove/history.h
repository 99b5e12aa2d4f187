// What happened in a run, as its outside saw it: what clients asked for and were told, what the
// store holds, what went out, what followers saw. Plain values; checks.h judges them.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace vouch::prove {

/// Seconds since the run began.
using Seconds = double;

/// An event, wherever it was seen. `mark` is in its data and tells which wanted event it is.
struct EventSeen {
  std::string id;
  std::string stream;
  std::uint64_t version = 0;
  std::string mark;

  auto operator<=>(const EventSeen&) const = default;
  /// "hot-1 version 7 (w0-3-0, 2Kx…)"
  [[nodiscard]] std::string text() const;
};

/// A message on an outbound topic.
struct Outbound {
  std::string topic;
  EventSeen event;
};

/// What an attempt's answer says about the store.
enum class Outcome : std::uint8_t {
  committed,
  refused,  ///< nothing was written by this attempt
  open,     ///< no answer, or one that says it is not known yet
};

/// One request of an append.
struct Attempt {
  Outcome outcome = Outcome::open;
  Seconds began = 0;
  Seconds ended = 0;
  int status = 0;  ///< 0: no answer
  std::uint64_t first_version = 0;
  std::vector<std::string> ids;
  std::string tx;
  bool replayed = false;
  std::optional<std::uint64_t> actual;  ///< of a wrong expected version
};

/// The version that an append expects its stream to be at.
struct Expected {
  enum class Kind : std::uint8_t { any, none, exists, version };
  Kind kind = Kind::any;
  std::uint64_t version = 0;

  [[nodiscard]] bool met_by(std::uint64_t actual) const;
  [[nodiscard]] std::string text() const;
};

/// What a client wanted, and every attempt at it. `marks`: one for each event.
struct Append {
  std::string stream;
  std::vector<std::string> marks;
  Expected expected;
  std::string key;               ///< idempotency key; empty: none
  std::vector<std::string> ids;  ///< given by the client; empty: none
  std::vector<Attempt> attempts;

  [[nodiscard]] bool repeatable() const { return !key.empty() || !ids.empty(); }
  [[nodiscard]] std::vector<const Attempt*> committed() const;
  /// Whether nothing of it may ever be seen. A wrong expected version of a repeatable append speaks
  /// for its earlier attempts too: they would have been found first.
  [[nodiscard]] bool refused_for_good() const;
  /// "append of w0-3-0 to hot-1 (answers: no answer, 201)"
  [[nodiscard]] std::string text() const;
};

/// What one follower saw from the first event ever on, over all of its connections.
struct Followed {
  std::string name;
  std::vector<EventSeen> seen;
};

/// An outbound route: which events take it, and where they go.
struct Route {
  std::string topic;                    ///< a template
  std::vector<std::string> categories;  ///< empty: all

  [[nodiscard]] bool takes(const std::string& stream) const;
  [[nodiscard]] std::string topic_of(const std::string& stream) const;
};

/// A whole run. Everything but `appends` and `followers` is read at its end, when everything
/// committed was delivered.
struct History {
  std::vector<Append> appends;
  std::vector<EventSeen> feed;
  std::map<std::string, std::vector<EventSeen>> streams;
  std::map<std::string, std::uint64_t> heads;
  std::vector<Outbound> outbound;
  std::vector<Followed> followers;
  std::map<std::string, std::string> transactions;  ///< state by token, of those that were asked
  std::vector<Route> routes;                        ///< whose messages are in `outbound`
};

/// The part of a stream's name before its first '-', or all of it.
std::string category_of(const std::string& stream);

/// The type of every event of a run.
inline constexpr const char* kEventType = "happened";

}  // namespace vouch::prove
