// What clients did and were told, and the seven invariants checked against it, the database, the
// outbound topic and a feed reader. A violated invariant throws Violation.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "append/append_service.h"
#include "host_under_test.h"

namespace vouch::tests {

struct Violation : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What an operation writes to one stream.
struct Part {
  StreamName stream;
  std::size_t events = 0;
  ExpectedVersion expected;
};

/// One thing a client wanted, however often it asked for it.
struct Operation {
  std::uint64_t number = 0;  ///< stands in the data of its events
  std::vector<Part> parts;   ///< all of them, or none
  std::vector<Precondition> preconditions;
  bool retry_is_safe = false;  ///< has a key or ids of its own
  std::vector<append::AppendAnswer> answers;
};

/// An event as a feed reader saw it.
struct FeedSighting {
  std::string stream;
  std::uint64_t version = 0;
  EventId id;
};

struct History {
  std::vector<Operation> operations;
  std::vector<FeedSighting> feed;
};

/// `events`: what is committed, a stream's in the order of the database; `routes`: what each
/// route's broker took. Pre: no host runs, nothing is undelivered, and there are no dead letters.
void check_invariants(const std::vector<Event>& events,
                      const std::vector<std::vector<testkit::TakenMessage>>& routes,
                      const History& history);

}  // namespace vouch::tests
