// The invariants that are about answers: 4, 5 and 6.
#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "check_report.h"
#include "marks.h"

namespace vouch::prove {
namespace {

std::string texts(const std::vector<const EventSeen*>* events) {
  if (events == nullptr || events->empty()) return "nothing";
  std::string all;
  for (const EventSeen* event : *events) all += (all.empty() ? "" : "; ") + event->text();
  return all;
}

const std::vector<const EventSeen*>* find(const ByMark& stored, const std::string& mark) {
  const auto found = stored.find(mark);
  return found == stored.end() ? nullptr : &found->second;
}

void told_as_stored(const Append& append, const ByMark& stored, CheckReport& report) {
  for (const Attempt* attempt : append.committed()) {
    if (attempt->ids.size() != append.marks.size()) {
      report.violated(append, append.text() + " was answered with " +
                                  std::to_string(attempt->ids.size()) + " ids for " +
                                  std::to_string(append.marks.size()) + " events");
    }
    for (std::size_t i = 0; i < std::min(append.marks.size(), attempt->ids.size()); ++i) {
      const EventSeen told{attempt->ids[i], append.stream, attempt->first_version + i,
                           append.marks[i]};
      const auto* events = find(stored, append.marks[i]);
      const auto same = [&](const EventSeen* event) { return *event == told; };
      if (events == nullptr || std::ranges::none_of(*events, same)) {
        report.violated(append,
                        told.text() + " was answered as committed; stored is " + texts(events));
      }
    }
  }
}

void side_by_side(const Append& append, const ByMark& stored, CheckReport& report) {
  const std::uint64_t first = find(stored, append.marks.front())->front()->version;
  for (std::size_t i = 0; i < append.marks.size(); ++i) {
    const EventSeen& event = *find(stored, append.marks[i])->front();
    if (event.stream != append.stream || event.version != first + i) {
      report.violated(append, append.text() + " began at version " + std::to_string(first) +
                                  ", but its event " + std::to_string(i) + " is " + event.text());
    }
  }
}

/// Attempts that were answered "nothing was written", before one that was committed.
void refused_and_stored(const Append& append, const ByMark& stored, CheckReport& report) {
  const auto first = std::ranges::find_if(
      append.attempts, [](const Attempt& each) { return each.outcome != Outcome::refused; });
  if (first == append.attempts.begin() || first == append.attempts.end()) return;
  if (first->outcome == Outcome::committed && first->replayed) {
    report.violated(append, append.text() + " was refused, and its repetition found it stored");
  }
  // Without key and ids each attempt is an append of its own, and such a client repeats none but
  // those that were refused.
  const auto* events = find(stored, append.marks.front());
  if (!append.repeatable() && events != nullptr && events->size() > append.committed().size()) {
    report.violated(append, append.text() + " was refused, and stored is " + texts(events));
  }
}

void transactions(const History& history, const ByMark& stored, CheckReport& report) {
  for (const Append& append : history.appends) {
    const bool ever_committed = !append.committed().empty();
    for (const Attempt& attempt : append.attempts) {
      const auto found = history.transactions.find(attempt.tx);
      if (attempt.tx.empty() || found == history.transactions.end()) continue;
      report.checked();
      const std::string& state = found->second;
      if (attempt.outcome == Outcome::committed && state != "committed") {
        report.violated(append,
                        append.text() + " was answered as committed, its transaction is " + state);
      }
      // With more attempts, another one may have written it.
      if (attempt.outcome == Outcome::open && !ever_committed && append.attempts.size() == 1) {
        const bool written = stored.contains(append.marks.front());
        if (state != (written ? "committed" : "aborted")) {
          report.violated(append, append.text() + " is " + (written ? "" : "not ") +
                                      "stored, its transaction is " + state);
        }
      }
    }
  }
}

/// When a stream was known to have come to which version at least.
class Floors {
 public:
  explicit Floors(const History& history) {
    for (const Append& append : history.appends) {
      for (const Attempt* attempt : append.committed()) {
        by_stream_[append.stream].emplace_back(attempt->ended,
                                               attempt->first_version + append.marks.size() - 1);
      }
    }
    for (auto& [stream, floors] : by_stream_) {
      std::ranges::sort(floors);
      std::uint64_t highest = 0;
      for (auto& [ended, last] : floors) last = highest = std::max(highest, last);
    }
  }
  /// The version that the stream had at `when`, at least.
  [[nodiscard]] std::uint64_t at(const std::string& stream, Seconds when) const {
    const auto found = by_stream_.find(stream);
    if (found == by_stream_.end()) return 0;
    const auto after = std::ranges::lower_bound(found->second, when, {},
                                                &std::pair<Seconds, std::uint64_t>::first);
    return after == found->second.begin() ? 0 : std::prev(after)->second;
  }

 private:
  std::unordered_map<std::string, std::vector<std::pair<Seconds, std::uint64_t>>> by_stream_;
};

/// The actual version that a refusal names is one that the stream had after the request.
void refusals_are_true(const History& history, CheckReport& report) {
  const Floors floors(history);
  for (const Append& append : history.appends) {
    const auto stream = history.streams.find(append.stream);
    const std::uint64_t head = stream == history.streams.end() ? 0 : stream->second.size();
    for (const Attempt& attempt : append.attempts) {
      if (attempt.status != 412) continue;
      const std::uint64_t least = floors.at(append.stream, attempt.began);
      if (!attempt.actual) {
        report.violated(append, append.text() + " was refused without the actual version");
      } else if (append.expected.met_by(*attempt.actual)) {
        report.violated(append, append.text() + " expected " + append.expected.text() +
                                    " and was refused for actual " +
                                    std::to_string(*attempt.actual));
      } else if (*attempt.actual < least || *attempt.actual > head) {
        report.violated(append, append.text() + " was told actual " +
                                    std::to_string(*attempt.actual) + "; the stream was at " +
                                    std::to_string(least) + " before and came to " +
                                    std::to_string(head));
      }
    }
  }
}

void dense(const History& history, CheckReport& report) {
  for (const auto& [name, events] : history.streams) {
    report.checked(events.size());
    for (std::size_t i = 0; i < events.size(); ++i) {
      if (events[i].version == i + 1) continue;
      report.violated(name, i + 1,
                      name + " has version " + std::to_string(events[i].version) + " at place " +
                          std::to_string(i + 1));
      break;
    }
    const auto head = history.heads.find(name);
    const std::uint64_t told = head == history.heads.end() ? 0 : head->second;
    if (told != events.size()) {
      report.violated(name, events.size(),
                      name + " has " + std::to_string(events.size()) + " events, its head is " +
                          std::to_string(told));
    }
  }
}

}  // namespace

void definite_answers(const History& history, CheckReport& report) {
  const ByMark stored = by_mark(history.feed);
  std::unordered_set<std::string> everywhere;
  for (const auto& [mark, events] : stored) everywhere.insert(mark);
  for (const Outbound& message : history.outbound) everywhere.insert(message.event.mark);
  for (const Followed& follower : history.followers) {
    for (const EventSeen& event : follower.seen) everywhere.insert(event.mark);
  }
  std::unordered_set<std::string> wanted;
  for (const Append& append : history.appends) {
    report.checked(append.attempts.size());
    wanted.insert(append.marks.begin(), append.marks.end());
    told_as_stored(append, stored, report);
    refused_and_stored(append, stored, report);
    const bool refused = append.refused_for_good();
    std::size_t there = 0;
    for (const std::string& mark : append.marks) {
      there += stored.contains(mark) ? 1 : 0;
      if (refused && everywhere.contains(mark)) {
        report.violated(append, append.text() + " was refused, and " + mark + " was seen");
      }
    }
    if (there > 0 && there < append.marks.size()) {
      report.violated(append, "of " + append.text() +
                                  " only a part is stored: " + std::to_string(there) + " of " +
                                  std::to_string(append.marks.size()) + " events");
    } else if (there > 0) {
      side_by_side(append, stored, report);
    }
  }
  transactions(history, stored, report);
  refusals_are_true(history, report);
  for (const auto& [mark, events] : stored) {
    if (wanted.contains(mark)) continue;
    report.violated(*events.front(), events.front()->text() + " is stored and nobody asked for it");
  }
}

void versions(const History& history, CheckReport& report) {
  dense(history, report);
  std::map<std::pair<std::string, std::uint64_t>, std::string> claims;
  std::map<std::pair<std::string, std::uint64_t>, const Append*> winners;
  for (const Append& append : history.appends) {
    const auto committed = append.committed();
    const bool names_version = append.expected.kind == Expected::Kind::none ||
                               append.expected.kind == Expected::Kind::version;
    if (!committed.empty() && names_version) {
      report.checked();
      const auto [winner, first] =
          winners.try_emplace({append.stream, append.expected.version}, &append);
      if (!first) {
        report.violated(append, append.text() + " and " + winner->second->text() +
                                    " both won at version " +
                                    std::to_string(append.expected.version));
      }
    }
    for (const Attempt* attempt : committed) {
      if (!append.expected.met_by(attempt->first_version - 1)) {
        report.violated(append, append.text() + " expected " + append.expected.text() +
                                    ", but begins at version " +
                                    std::to_string(attempt->first_version));
      }
      for (std::size_t i = 0; i < attempt->ids.size(); ++i) {
        report.checked();
        const std::uint64_t version = attempt->first_version + i;
        const auto [claim, first] = claims.try_emplace({append.stream, version}, attempt->ids[i]);
        if (!first && claim->second != attempt->ids[i]) {
          report.violated(append, "version " + std::to_string(version) + " of " + append.stream +
                                      " was given to " + attempt->ids[i] + " and to " +
                                      claim->second);
        }
      }
    }
  }
}

void safe_retries(const History& history, CheckReport& report) {
  std::unordered_set<std::string_view> unprotected;
  for (const Append& append : history.appends) {
    if (!append.repeatable()) unprotected.insert(append.marks.begin(), append.marks.end());
  }
  for (const auto& [mark, events] : by_mark(history.feed)) {
    report.checked();
    if (events.size() > 1 && !unprotected.contains(mark)) {
      report.violated(*events.front(), mark + " is stored " + std::to_string(events.size()) +
                                           " times: " + texts(&events));
    }
  }
  std::unordered_map<std::string, std::uint64_t> ids;
  for (const EventSeen& event : history.feed) {
    if (++ids[event.id] == 2) {
      report.violated(event, "the event id " + event.id + " is stored more than once");
    }
  }
  for (const Append& append : history.appends) {
    const auto committed = append.committed();
    if (append.attempts.size() > 1) report.checked();
    std::set<std::tuple<std::uint64_t, std::vector<std::string>, std::string>> answers;
    std::size_t as_new = 0;
    bool own_ids = true;
    for (const Attempt* attempt : committed) {
      answers.emplace(attempt->first_version, attempt->ids, attempt->tx);
      as_new += attempt->replayed ? 0 : 1;
      own_ids = own_ids && (append.ids.empty() || attempt->ids == append.ids);
    }
    if (answers.size() > 1) {
      report.violated(
          append, append.text() + " got " + std::to_string(answers.size()) + " different answers");
    }
    if (as_new > 1) {
      report.violated(append, append.text() + " was answered as new more than once");
    }
    if (!own_ids) {
      report.violated(append, append.text() + " was not stored under the ids that it brought");
    }
  }
}

}  // namespace vouch::prove
