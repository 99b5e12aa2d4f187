#include "invariants.h"

#include <map>
#include <set>
#include <sstream>

namespace vouch::tests {
namespace {

using append::AppendAnswer;
using append::AppendCode;

using Place = std::pair<std::string, std::uint64_t>;

struct Stored {
  std::map<Place, Event> by_place;
  std::map<std::uint64_t, std::vector<Event>> by_operation;
  std::map<std::string, std::uint64_t> heads;
};

[[noreturn]] void violated(int invariant, const std::string& what) {
  throw Violation("invariant " + std::to_string(invariant) + " violated: " + what);
}

std::string at(const std::string& stream, std::uint64_t version) {
  return stream + "@" + std::to_string(version);
}

std::uint64_t operation_of(const Event& event) {
  return std::stoull(event.data.substr(std::string_view("{\"op\":").size()));
}

/// 5: versions are dense, from 1.
Stored sort(const std::vector<Event>& events) {
  Stored stored;
  std::set<EventId> ids;
  for (const Event& event : events) {
    const std::uint64_t expected = ++stored.heads[event.stream.str()];
    if (event.version.value != expected) {
      violated(5, at(event.stream.str(), event.version.value) + " is stored where version " +
                      std::to_string(expected) + " belongs");
    }
    if (!ids.insert(event.id).second) violated(6, "id " + event.id.to_string() + " stands twice");
    stored.by_operation[operation_of(event)].push_back(event);
    stored.by_place.emplace(Place(event.stream.str(), event.version.value), event);
  }
  return stored;
}

/// 1, 2 and 3 on a route's topics.
void check_outbound(const std::vector<testkit::TakenMessage>& outbound, const Stored& stored) {
  std::map<std::string, std::uint64_t> seen;
  for (const testkit::TakenMessage& message : outbound) {
    const Published one = published(message);
    const auto event = stored.by_place.find({one.stream, one.version});
    if (event == stored.by_place.end() ||
        message.payload.find(event->second.id.to_string()) == std::string::npos ||
        message.payload.find(event->second.data) == std::string::npos) {
      violated(1, at(one.stream, one.version) + " was published and is not in the database");
    }
    if (one.version <= seen[one.stream]) continue;
    if (one.version != ++seen[one.stream]) {
      violated(3, at(one.stream, one.version) + " was published before version " +
                      std::to_string(seen[one.stream]));
    }
  }
  for (const auto& [stream, head] : stored.heads) {
    if (seen[stream] != head) violated(2, at(stream, seen[stream] + 1) + " was never published");
  }
}

bool says_stored(const AppendAnswer& answer) {
  return answer.code == AppendCode::committed || answer.code == AppendCode::duplicate;
}

/// 4 and 5 for an answer that says that the operation is stored.
void check_stored_answer(const Operation& operation, const AppendAnswer& answer,
                         const Stored& stored) {
  const std::string name = "operation " + std::to_string(operation.number);
  if (answer.ranges.size() != operation.parts.size()) violated(4, name + " was told other parts");
  std::size_t id = 0;
  for (std::size_t i = 0; i < operation.parts.size(); ++i) {
    const Part& part = operation.parts[i];
    const VersionRange range = answer.ranges[i];
    if (range.last.value - range.first.value + 1 != part.events) {
      violated(4, name + " was told a range of another length");
    }
    if (answer.code == AppendCode::committed &&
        !part.expected.met_by(Version{range.first.value - 1})) {
      violated(5, name + " was written though the expected version was not met");
    }
    for (std::uint64_t v = range.first.value; v <= range.last.value; ++v) {
      const auto event = stored.by_place.find({part.stream.str(), v});
      if (event == stored.by_place.end() || operation_of(event->second) != operation.number ||
          event->second.id != answer.ids.at(id++)) {
        violated(4, name + " was told that it has " + at(part.stream.str(), v) +
                        ", and the database has something else there");
      }
    }
  }
}

/// 4, 5 and 6 for one operation.
void check_operation(const Operation& operation, const Stored& stored) {
  const auto found = stored.by_operation.find(operation.number);
  const std::size_t events = found == stored.by_operation.end() ? 0 : found->second.size();
  std::size_t wanted = 0;
  std::vector<ExpectedVersion> demands;
  for (const Part& part : operation.parts) {
    wanted += part.events;
    demands.push_back(part.expected);
  }
  for (const Precondition& demand : operation.preconditions) demands.push_back(demand.expected);
  const std::string name = "operation " + std::to_string(operation.number);
  if (events != 0 && events != wanted) {
    violated(operation.retry_is_safe ? 6 : 4, name + " of " + std::to_string(wanted) +
                                                  " events is stored as " + std::to_string(events));
  }
  bool told_stored = false;
  bool may_be_stored = false;
  for (const AppendAnswer& answer : operation.answers) {
    may_be_stored = may_be_stored || answer.code == AppendCode::commit_unknown;
    if (answer.code == AppendCode::wrong_version &&
        demands.at(answer.failed).met_by(answer.actual)) {
      violated(4, name + " was refused at a version that it accepts");
    }
    if (!says_stored(answer)) continue;
    told_stored = true;
    check_stored_answer(operation, answer, stored);
  }
  if (!told_stored && !may_be_stored && events != 0) {
    violated(4, name + " was told that nothing was written, and it is stored");
  }
}

/// 7: the reader saw every event once, a stream's versions rising.
void check_feed(const History& history, const Stored& stored) {
  std::map<std::string, std::uint64_t> seen;
  for (const FeedSighting& sighting : history.feed) {
    if (sighting.version != ++seen[sighting.stream]) {
      violated(7, at(sighting.stream, sighting.version) + " came where version " +
                      std::to_string(seen[sighting.stream]) + " belongs");
    }
  }
  if (seen != stored.heads) violated(7, "the feed reader did not see every event");
}

}  // namespace

void check_invariants(const std::vector<Event>& events,
                      const std::vector<std::vector<testkit::TakenMessage>>& routes,
                      const History& history) {
  const Stored stored = sort(events);
  for (const auto& outbound : routes) check_outbound(outbound, stored);
  for (const Operation& operation : history.operations) check_operation(operation, stored);
  check_feed(history, stored);
}

}  // namespace vouch::tests
