// The judge: a good history passes, and each kind of violation is found under its invariant.
#include "prove/checks.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "small_history.h"

namespace vouch::prove::test {
namespace {

/// The invariants that a history breaks.
std::set<int> broken(const History& history) {
  std::set<int> found;
  for (const Finding& finding : judge(history).all) {
    for (const Violation& violation : finding.violations) {
      INFO(violation.words);
      CHECK(violation.invariant == finding.invariant);
      CHECK_FALSE(violation.words.empty());
      found.insert(violation.invariant);
    }
  }
  return found;
}

TEST_CASE(
    "A history in which the promise holds has no violations, and each invariant was looked at") {
  const Findings findings = judge(good_history());
  CHECK(findings.violated() == 0);
  for (const Finding& finding : findings.all) {
    INFO(finding.name);
    CHECK(finding.checked > 0);
  }
}

TEST_CASE("A message of an event that is not stored is a phantom") {
  History history = good_history();
  history.outbound.push_back({"events.account", event(4, "d-0")});
  CHECK(broken(history) == std::set{1});
}

TEST_CASE("A message that says something else than what is stored is a phantom") {
  History history = good_history();
  history.outbound.back().event.mark = "x-0";
  CHECK(broken(history) == std::set{1});
}

TEST_CASE("A phantom of an append that was refused breaks the answer as well") {
  History history = good_history();
  history.outbound.push_back({"events.account", event(4, "c-0")});
  CHECK(broken(history) == std::set{1, 4});
}

TEST_CASE("An event that never went out is a loss") {
  History history = good_history();
  std::erase_if(history.outbound, [](const Outbound& each) { return each.event.version == 3; });
  CHECK(broken(history) == std::set{2});
}

TEST_CASE("An event that went out on one of its routes only is a loss") {
  History history = good_history();
  history.routes.push_back({"edge/{stream}", {}});
  CHECK(broken(history) == std::set{2});
}

TEST_CASE("A route that does not take a category loses nothing of it") {
  History history = good_history();
  history.routes.push_back({"edge/{stream}", {"device"}});
  CHECK(broken(history).empty());
}

TEST_CASE("A successor that goes out first is disorder") {
  History history = good_history();
  std::swap(history.outbound[1], history.outbound[2]);
  CHECK(broken(history) == std::set{3});
}

TEST_CASE("An event that goes out again later is no disorder") {
  History history = good_history();
  history.outbound.push_back(history.outbound.front());
  CHECK(broken(history).empty());
}

TEST_CASE("An event that was answered as committed and is not stored breaks the answer") {
  History history = good_history();
  Append gone;
  gone.stream = kStream;
  gone.marks = {"e-0"};
  gone.attempts = {committed(4, {"id-e-0"}, 5, "t9")};
  history.appends.push_back(gone);
  CHECK(broken(history) == std::set{4});
}

TEST_CASE("An event of an append that was refused must not be seen anywhere") {
  History history = good_history();
  const EventSeen seen = event(4, "c-0");
  history.feed.push_back(seen);
  history.streams[kStream].push_back(seen);
  history.heads[kStream] = 4;
  history.outbound.push_back({"events.account", seen});
  history.followers[0].seen.push_back(seen);
  CHECK(broken(history) == std::set{4});
}

TEST_CASE("An append that was refused, and whose repetition finds it stored, breaks the answer") {
  History history = good_history();
  history.appends[1].attempts.front() = refused(503, 2);
  CHECK(broken(history) == std::set{4});
  history.appends[1].attempts.back().replayed = false;
  CHECK(broken(history).empty());
}

TEST_CASE("An append without protection that was refused, and is stored beside its repetition") {
  History history = good_history();
  history.appends[1].key.clear();
  history.appends[1].expected = {};
  history.appends[1].attempts = {refused(503, 2), committed(2, {"id-b-0", "id-b-1"}, 3, "t2")};
  CHECK(broken(history).empty());
  for (const std::uint64_t version : {4, 5}) {
    const EventSeen again{"id-other-" + std::to_string(version), kStream, version,
                          version == 4 ? "b-0" : "b-1"};
    history.feed.push_back(again);
    history.streams[kStream].push_back(again);
    history.heads[kStream] = version;
    history.outbound.push_back({"events.account", again});
    history.followers[0].seen.push_back(again);
  }
  CHECK(broken(history) == std::set{4});
}

TEST_CASE("A part of an append is not stored without the rest") {
  History history = good_history();
  history.appends[1].marks.push_back("b-2");
  history.appends[1].attempts.back().ids.push_back("id-b-2");
  CHECK(broken(history).contains(4));
}

TEST_CASE("An event that nobody asked for breaks the answers") {
  History history = good_history();
  history.appends.erase(history.appends.begin());
  CHECK(broken(history) == std::set{4});
}

TEST_CASE("A transaction of an answered append that aborted breaks the answer") {
  History history = good_history();
  history.transactions["t2"] = "aborted";
  CHECK(broken(history) == std::set{4});
}

TEST_CASE("A refusal names a version that the stream really had by then") {
  History history = good_history();
  history.appends[2].attempts.back().actual = 2;
  CHECK(broken(history) == std::set{4});
  history.appends[2].attempts.back().actual = 4;
  CHECK(broken(history) == std::set{4});
  history.appends[2].attempts.back().actual = 1;  // the expected one
  CHECK(broken(history) == std::set{4});
  history.appends[2].attempts.back().actual.reset();
  CHECK(broken(history) == std::set{4});
}

TEST_CASE("A gap between the versions of a stream is found") {
  History history = good_history();
  for (auto* events : {&history.feed, &history.streams[kStream], &history.followers[0].seen}) {
    events->erase(events->begin() + 1);
  }
  std::erase_if(history.outbound, [](const Outbound& each) { return each.event.version == 2; });
  history.heads[kStream] = 2;
  CHECK(broken(history).contains(5));
}

TEST_CASE("Two winners of one version are found") {
  History history = good_history();
  history.appends[2].attempts.back() = committed(2, {"id-c-0"}, 4, "t3");
  CHECK(broken(history).contains(5));
}

TEST_CASE("A head that is not the newest version is found") {
  History history = good_history();
  history.heads[kStream] = 2;
  CHECK(broken(history) == std::set{5});
}

TEST_CASE("An append that was stored twice under its key is found") {
  History history = good_history();
  const EventSeen again{"id-other", kStream, 4, "b-0"};
  history.feed.push_back(again);
  history.streams[kStream].push_back(again);
  history.heads[kStream] = 4;
  history.outbound.push_back({"events.account", again});
  history.followers[0].seen.push_back(again);
  CHECK(broken(history) == std::set{6});
}

TEST_CASE("Two different answers to one key are found") {
  History history = good_history();
  history.appends[1].attempts.front() = committed(2, {"id-b-0", "id-b-1"}, 2, "t7");
  CHECK(broken(history) == std::set{6});
}

TEST_CASE("An append that was answered as new twice is found") {
  History history = good_history();
  history.appends[1].attempts.front() = committed(2, {"id-b-0", "id-b-1"}, 2, "t2");
  CHECK(broken(history).empty());
  history.appends[1].attempts.back().replayed = false;
  CHECK(broken(history) == std::set{6});
}

TEST_CASE("Other ids than those that the client brought are found") {
  History history = good_history();
  history.appends[1].ids = {"mine-0", "mine-1"};
  CHECK(broken(history) == std::set{6});
}

TEST_CASE("A follower that misses an event is found") {
  History history = good_history();
  history.followers[0].seen.pop_back();
  CHECK(broken(history) == std::set{7});
}

TEST_CASE("A follower that sees an event again is found") {
  History history = good_history();
  history.followers[0].seen.push_back(history.followers[0].seen.back());
  CHECK(broken(history) == std::set{7});
}

TEST_CASE("The history of a stream tells what was asked, what is stored and what went out") {
  const auto lines = history_of(good_history(), {2, kStream, 2, "", ""});
  const auto holds = [&](const char* text) {
    return std::ranges::any_of(
        lines, [&](const std::string& line) { return line.find(text) != std::string::npos; });
  };
  CHECK(holds("key key-b: no answer"));
  CHECK(holds("stored version 3"));
  CHECK(holds("went out on events.account"));
  CHECK(history_of(good_history(), {2, "nobody-1", 2, "", ""}).empty());
}

TEST_CASE("The history of a violation is the part of the stream that it is in") {
  History history = good_history();
  for (std::uint64_t version = 4; version <= 30; ++version) {
    history.streams[kStream].push_back(event(version, "z-" + std::to_string(version)));
  }
  const auto lines = history_of(history, {4, kStream, 20, "c-0", ""});
  const auto count = [&](const char* text) {
    return std::ranges::count_if(
        lines, [&](const std::string& line) { return line.find(text) != std::string::npos; });
  };
  CHECK(count("stored version") == 5);
  CHECK(count("412, actual 3") == 1);  // by its mark
  CHECK(count("append of a-0") == 0);
}

}  // namespace
}  // namespace vouch::prove::test
