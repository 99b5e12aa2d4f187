// What the storage cases are written with: events, appends, lanes that must do as told, reads into
// vectors. Everything throws ConformanceFailure when the storage does not follow.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "case_threads.h"
#include "expect.h"
#include "vouch/conformance/storage_suite.h"

namespace vouch::conformance {

/// An id that no other event of this process has.
EventId fresh_id();
StreamName name(std::string_view text);
NewEvent new_event(std::string type = "happened", std::string data = "{\"n\":1}");
/// `count` events for a stream.
Write write_to(std::string_view stream, std::size_t count = 1,
               ExpectedVersion expected = ExpectedVersion::any());
/// An append of one write.
Append append_to(std::string_view stream, std::size_t count = 1,
                 ExpectedVersion expected = ExpectedVersion::any());
Append append_of(std::vector<Write> writes);
Append with_key(Append append, std::string key, std::string digest = "digest");
std::vector<EventId> ids_of(const Append& append);

/// Skips unless the storage allows that many lanes at once.
void need_lanes(StorageUnderTest& under_test, std::uint32_t count);
/// As many as allowed, at most `wanted`.
std::uint32_t lanes_allowed(StorageUnderTest& under_test, std::uint32_t wanted);
std::unique_ptr<Lane> open_lane(StorageUnderTest& under_test, std::uint32_t number = 0);

/// Stages; an error is a failure. `result` of the append at `index` must have `outcome`.
StagedGroup stage(Lane& lane, const std::vector<Append>& appends);
StageResult stage_one(Lane& lane, const Append& append);
void commit(Lane& lane);
/// Stages one append alone, expects `outcome`, commits.
StageResult store(Lane& lane, const Append& append, StageOutcome outcome = StageOutcome::staged);
/// `store`, and the transaction's token.
Token store_for_token(Lane& lane, const Append& append);

Verdict resolve(Storage& storage, const Token& token);

std::vector<Event> read_stream(Storage& storage, std::string_view stream, Version from = {},
                               Direction direction = Direction::forward,
                               std::uint32_t limit = 1'000'000);
std::vector<std::uint64_t> versions_of(const std::vector<Event>& events);
Version head_of(Storage& storage, std::string_view stream);

/// "order-1@3".
std::string described(const Event& event);

/// One page.
struct Page {
  std::vector<Event> events;
  std::vector<Cursor> cursors;  ///< behind each event
  Cursor next;
  bool at_end = false;
};
Page read_page(Storage& storage, const FeedQuery& query);
/// Pages until the end.
Page read_feed(Storage& storage, FeedQuery query);

/// What of the ledger is ready.
struct Ready {
  std::vector<Delivery> deliveries;
  std::vector<std::vector<Event>> events;  ///< of each delivery
};
Ready ready(Storage& storage, std::uint32_t max_events = 1'000'000, LedgerNumber after = {});
void complete(Storage& storage, const std::vector<DeliveryId>& deliveries);
/// Purges until nothing of that age is left; returns the rows.
std::uint64_t purge_all(Storage& storage, std::uint32_t limit = 1'000);

}  // namespace vouch::conformance
