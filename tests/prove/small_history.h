// A history in which the promise holds, for tests to break one thing in.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "prove/history.h"

namespace vouch::prove::test {

inline constexpr const char* kStream = "account-1";

inline EventSeen event(std::uint64_t version, const std::string& mark) {
  return {"id-" + mark, kStream, version, mark};
}

inline Attempt committed(std::uint64_t first, std::vector<std::string> ids, Seconds began,
                         const std::string& tx) {
  Attempt attempt;
  attempt.outcome = Outcome::committed;
  attempt.status = 201;
  attempt.began = began;
  attempt.ended = began + 0.01;
  attempt.first_version = first;
  attempt.ids = std::move(ids);
  attempt.tx = tx;
  return attempt;
}

inline Attempt refused(int status, Seconds began) {
  Attempt attempt;
  attempt.outcome = Outcome::refused;
  attempt.status = status;
  attempt.began = began;
  attempt.ended = began + 0.01;
  return attempt;
}

/// One stream with three events: a single one, then two of one append that a client repeated; and
/// an append that lost a race.
inline History good_history() {
  History history;
  history.routes = {{"events.{category}", {}}};
  const std::vector<EventSeen> events{event(1, "a-0"), event(2, "b-0"), event(3, "b-1")};
  history.feed = events;
  history.streams[kStream] = events;
  history.heads[kStream] = 3;
  for (const EventSeen& each : events) history.outbound.push_back({"events.account", each});
  history.outbound.push_back({"events.account", events[1]});
  history.followers = {{"f1", events}};
  history.transactions = {{"t1", "committed"}, {"t2", "committed"}};

  Append first;
  first.stream = kStream;
  first.marks = {"a-0"};
  first.expected = {Expected::Kind::none};
  first.attempts = {committed(1, {"id-a-0"}, 1, "t1")};
  Append second;
  second.stream = kStream;
  second.marks = {"b-0", "b-1"};
  second.expected = {Expected::Kind::version, 1};
  second.key = "key-b";
  Attempt lost;
  lost.began = 2;
  lost.ended = 2.5;
  second.attempts = {lost, committed(2, {"id-b-0", "id-b-1"}, 3, "t2")};
  second.attempts.back().replayed = true;
  Append late;
  late.stream = kStream;
  late.marks = {"c-0"};
  late.expected = {Expected::Kind::version, 1};
  late.attempts = {refused(412, 4)};
  late.attempts.back().actual = 3;
  history.appends = {first, second, late};
  return history;
}

}  // namespace vouch::prove::test
