// The seven invariants by name, and those that are about what goes out and what is read.
#include "prove/checks.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "check_report.h"

namespace vouch::prove {
namespace {

struct Invariant {
  const char* name;
  const char* promise;
  const char* unit;
  void (*check)(const History&, CheckReport&);
};

constexpr Invariant kAll[kInvariants] = {
    {"no phantom", "What reaches an outbound topic is committed in the database.", "messages",
     no_phantom},
    {"no loss", "What is committed reaches its outbound topics.", "events on topics", no_loss},
    {"order", "A stream's events go out in the order of their versions, without a gap.", "messages",
     order},
    {"definite answers",
     "An append is answered committed only when it is, failed only when nothing of it is ever "
     "seen.",
     "answers", definite_answers},
    {"versions", "Versions are 1, 2, 3 without a gap; of writers that race for one, one wins.",
     "versions and claims", versions},
    {"safe retries", "The same idempotency key, or the same event ids, are stored once.",
     "events and appends", safe_retries},
    {"readers skip nothing",
     "Reading the feed from a cursor passes over nothing and repeats nothing.", "events read",
     readers_skip_nothing},
};

/// Versions so far, by topic and stream.
using Last = std::unordered_map<std::string, std::uint64_t>;

using Stored = std::unordered_map<std::string_view, const EventSeen*>;

void is_all_of(const History& history, const std::vector<EventSeen>& seen,
               const std::string& reader, CheckReport& report) {
  Stored stored;
  for (const auto& [name, events] : history.streams) {
    for (const EventSeen& event : events) stored.emplace(event.id, &event);
  }
  std::unordered_set<std::string_view> met;
  Last last;
  for (const EventSeen& event : seen) {
    report.checked();
    const auto found = stored.find(event.id);
    if (found == stored.end() || *found->second != event) {
      report.violated(event, reader + " showed " + event.text() + ", which is not stored");
    }
    std::uint64_t& before = last[event.stream];
    if (event.version != before + 1) {
      report.violated(event, reader + " showed " + event.text() + " right after version " +
                                 std::to_string(before));
    }
    before = event.version;
    met.insert(event.id);
  }
  for (const auto& [name, events] : history.streams) {
    for (const EventSeen& event : events) {
      if (!met.contains(event.id)) {
        report.violated(event, reader + " never showed " + event.text());
      }
    }
  }
}

}  // namespace

std::size_t Findings::violated() const {
  std::size_t count = 0;
  for (const Finding& finding : all) count += finding.violations.size();
  return count;
}

Findings judge(const History& history) {
  Findings findings;
  for (std::size_t i = 0; i < kInvariants; ++i) {
    Finding& finding = findings.all[i];
    finding.invariant = static_cast<int>(i) + 1;
    finding.name = kAll[i].name;
    finding.promise = kAll[i].promise;
    finding.unit = kAll[i].unit;
    CheckReport report(finding);
    kAll[i].check(history, report);
  }
  return findings;
}

void no_phantom(const History& history, CheckReport& report) {
  std::unordered_map<std::string, const EventSeen*> stored;
  for (const EventSeen& event : history.feed) stored.emplace(event.id, &event);
  for (const Outbound& message : history.outbound) {
    report.checked();
    const auto found = stored.find(message.event.id);
    if (found == stored.end()) {
      report.violated(message.event, message.event.text() + " went out on " + message.topic +
                                         " and is not stored");
    } else if (*found->second != message.event) {
      report.violated(message.event, message.event.text() + " went out on " + message.topic +
                                         ", but stored is " + found->second->text());
    }
  }
}

void no_loss(const History& history, CheckReport& report) {
  std::unordered_set<std::string> out;
  for (const Outbound& message : history.outbound)
    out.insert(message.topic + ' ' + message.event.id);
  for (const EventSeen& event : history.feed) {
    for (const Route& route : history.routes) {
      if (!route.takes(event.stream)) continue;
      report.checked();
      const std::string topic = route.topic_of(event.stream);
      if (!out.contains(topic + ' ' + event.id)) {
        report.violated(event, event.text() + " is stored and never went out on " + topic);
      }
    }
  }
}

void order(const History& history, CheckReport& report) {
  Last last;
  for (const Outbound& message : history.outbound) {
    report.checked();
    std::uint64_t& before = last[message.topic + ' ' + message.event.stream];
    if (message.event.version > before + 1) {
      report.violated(message.event, message.event.text() + " went out on " + message.topic +
                                         " right after version " + std::to_string(before));
    }
    before = std::max(before, message.event.version);
  }
}

void readers_skip_nothing(const History& history, CheckReport& report) {
  is_all_of(history, history.feed, "the feed", report);
  for (const Followed& follower : history.followers) {
    is_all_of(history, follower.seen, "follower " + follower.name, report);
  }
}

}  // namespace vouch::prove
