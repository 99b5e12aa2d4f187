// Cases about appends that come twice: idempotency keys and event ids.
#include <algorithm>

#include "storage_cases.h"
#include "storage_kit.h"

namespace vouch::conformance {
namespace {

/// The answer to a retry says what the first one said.
void expect_first_answer(const Append& append, const StageResult& first, const Token& token,
                         const StageResult& again) {
  expect_equal("repeated an append", StageOutcome::duplicate, again.outcome);
  expect_equal("repeated an append, ranges", first.ranges.size(), again.ranges.size());
  for (std::size_t i = 0; i < first.ranges.size(); ++i) {
    expect_equal("repeated an append, first version", first.ranges[i].first, again.ranges[i].first);
    expect_equal("repeated an append, last version", first.ranges[i].last, again.ranges[i].last);
  }
  expect_equal("repeated an append, ids", ids_of(append), again.ids);
  expect(token == again.token, "repeated an append, token", describe(token), describe(again.token));
  const auto sorted = [](std::vector<DeliveryId> deliveries) {
    std::sort(deliveries.begin(), deliveries.end());
    return deliveries;
  };
  expect_equal("repeated an append, deliveries", sorted(first.deliveries),
               sorted(again.deliveries));
}

struct Stored {
  Append append;
  StageResult result;
  Token token;
};

Stored store_first(Lane& lane, Append append) {
  const StagedGroup group = stage(lane, {append});
  expect_equal("staged an append", StageOutcome::staged, group.results[0].outcome);
  commit(lane);
  return {std::move(append), group.results[0], group.token};
}

/// The same request with ids drawn anew, as a client that lost the answer sends it.
Append with_new_ids(Append append) {
  for (Write& write : append.writes) {
    for (NewEvent& event : write.events) event.id = fresh_id();
  }
  return append;
}

void same_key_same_answer(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  const Stored first = store_first(*lane, with_key(append_to("order-1", 3), "Key-1"));
  store(*lane, append_to("order-1", 2));
  const StageResult again = stage_one(*lane, with_new_ids(first.append));
  commit(*lane);
  expect_first_answer(first.append, first.result, first.token, again);
  expect_equal("read the stream", Version{5}, head_of(under_test.storage(), "order-1"));
}

void key_of_several_streams(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  Append append = with_key(
      append_of({write_to("order-1", 2), write_to("stock-7", 1), write_to("cart-3", 2)}), "all");
  append.idempotency->scope.clear();
  const Stored first = store_first(*lane, append);
  const StageResult again = stage_one(*lane, with_new_ids(first.append));
  commit(*lane);
  expect_first_answer(first.append, first.result, first.token, again);
}

void key_survives_reopen(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  const Stored first = store_first(*lane, with_key(append_to("order-1", 2), "key"));
  lane.reset();
  under_test.reopen();
  lane = open_lane(under_test);
  const StageResult again = stage_one(*lane, with_new_ids(first.append));
  commit(*lane);
  expect_first_answer(first.append, first.result, first.token, again);
}

void other_body_is_refused(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  store(*lane, with_key(append_to("order-1"), "key", "digest one"));
  store(*lane, with_key(append_to("order-1"), "key", "digest two"), StageOutcome::key_reused);
  expect_equal("read the stream", Version{1}, head_of(under_test.storage(), "order-1"));
}

void keys_are_scoped(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  store(*lane, with_key(append_to("order-1"), "key", "one"));
  store(*lane, with_key(append_to("order-2"), "key", "two"));
  store(*lane, with_key(append_to("order-1"), "KEY", "three"));
  Append unscoped = with_key(append_to("order-1"), "key", "four");
  unscoped.idempotency->scope.clear();
  store(*lane, unscoped);
  Append longest = with_key(append_to("order-1"), std::string(255, 'k'), std::string(64, '\xff'));
  store(*lane, longest);
  store(*lane, with_new_ids(longest), StageOutcome::duplicate);
}

void key_within_a_group(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  const Append append = with_key(append_to("order-1", 2), "key");
  const StagedGroup group =
      stage(*lane, {append, with_new_ids(append), with_key(append_to("order-1"), "key", "other")});
  expect_equal("staged the first", StageOutcome::staged, group.results[0].outcome);
  expect_first_answer(append, group.results[0], group.token, group.results[1]);
  expect_equal("staged another body", StageOutcome::key_reused, group.results[2].outcome);
  commit(*lane);
  expect_equal("read the stream", Version{2}, head_of(under_test.storage(), "order-1"));
}

void refused_append_takes_no_key(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  Append append = with_key(append_to("order-1", 1, ExpectedVersion::exists()), "key");
  store(*lane, append, StageOutcome::wrong_version);
  append.writes[0].expected = ExpectedVersion::none();
  store(*lane, append);
}

void retry_is_duplicate(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  const Stored first = store_first(*lane, append_to("order-1", 3, ExpectedVersion::none()));
  store(*lane, append_to("order-1", 1));
  const StageResult again = stage_one(*lane, first.append);
  commit(*lane);
  expect_first_answer(first.append, first.result, first.token, again);
  expect_equal("read the stream", Version{4}, head_of(under_test.storage(), "order-1"));
}

void retry_of_several_streams(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  const Stored first = store_first(
      *lane, append_of({write_to("order-1", 2), write_to("stock-7"), write_to("cart-3", 2)}));
  lane.reset();
  under_test.reopen();
  lane = open_lane(under_test);
  const StageResult again = stage_one(*lane, first.append);
  commit(*lane);
  expect_first_answer(first.append, first.result, first.token, again);
}

void retry_within_a_group(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  const Append append = append_to("order-1", 2, ExpectedVersion::none());
  const StagedGroup group = stage(*lane, {append, append});
  expect_equal("staged the first", StageOutcome::staged, group.results[0].outcome);
  expect_first_answer(append, group.results[0], group.token, group.results[1]);
  commit(*lane);
  expect_equal("read the stream", Version{2}, head_of(under_test.storage(), "order-1"));
}

void taken_is_refused(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  const Append stored = append_to("order-1", 3);
  store(*lane, stored);
  const auto refuse = [&](const Append& append, std::uint32_t failed, const char* what) {
    const StageResult result = store(*lane, append, StageOutcome::id_reused);
    expect_equal(std::string(what) + ", the write that failed", failed, result.failed);
  };
  Append elsewhere = append_of({write_to("stock-1"), write_to("order-2")});
  elsewhere.writes[1].events[0].id = stored.writes[0].events[0].id;
  refuse(elsewhere, 1, "an id of another stream");
  Append partly = append_to("order-1", 2);
  partly.writes[0].events[0].id = stored.writes[0].events[2].id;
  refuse(partly, 0, "one stored id and a new one");
  Append turned = append_to("order-1", 2);
  turned.writes[0].events[0].id = stored.writes[0].events[1].id;
  turned.writes[0].events[1].id = stored.writes[0].events[0].id;
  refuse(turned, 0, "stored ids in another order");
  Append gap = append_to("order-1", 2);
  gap.writes[0].events[0].id = stored.writes[0].events[0].id;
  gap.writes[0].events[1].id = stored.writes[0].events[2].id;
  refuse(gap, 0, "stored ids with one missing between");
  Append twice = append_to("order-3", 2);
  twice.writes[0].events[1].id = twice.writes[0].events[0].id;
  refuse(twice, 0, "one id twice in an append");
  Storage& storage = under_test.storage();
  for (const char* stream : {"stock-1", "order-2", "order-3"}) {
    expect_equal("read a refused stream", Version{0}, head_of(storage, stream));
  }
  expect_equal("read the stored stream", Version{3}, head_of(storage, "order-1"));
}

void other_content_is_refused(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  const Append stored = append_to("order-1", 2);
  store(*lane, stored);
  const auto refuse = [&](void (*change)(NewEvent&)) {
    Append changed = stored;
    change(changed.writes[0].events[1]);
    store(*lane, changed, StageOutcome::id_reused);
  };
  refuse([](NewEvent& event) { event.type += "-other"; });
  refuse([](NewEvent& event) { event.data += " "; });
  refuse([](NewEvent& event) { event.content_type = "application/other"; });
  Append traced = stored;
  traced.writes[0].events[0].metadata = R"({"traceparent":"00-1"})";
  store(*lane, traced, StageOutcome::duplicate);
  const Append fresh = append_to("order-2");
  Append other = fresh;
  other.writes[0].events[0].data += " ";
  const StagedGroup group = stage(*lane, {fresh, other});
  expect_equal("staged another event under an id of the group", StageOutcome::id_reused,
               group.results[1].outcome);
  commit(*lane);
  expect_equal("read the stream", Version{2}, head_of(under_test.storage(), "order-1"));
}

void taken_within_a_group(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  const Append first = append_to("order-1");
  Append second = append_to("order-2", 2);
  second.writes[0].events[1].id = first.writes[0].events[0].id;
  const StagedGroup group = stage(*lane, {first, second, append_to("order-3")});
  expect_equal("staged the first", StageOutcome::staged, group.results[0].outcome);
  expect_equal("staged one with the first's id", StageOutcome::id_reused, group.results[1].outcome);
  expect_equal("staged its neighbour", StageOutcome::staged, group.results[2].outcome);
  commit(*lane);
  expect_equal("read the refused stream", Version{0}, head_of(under_test.storage(), "order-2"));
}

constexpr StorageCase kCases[] = {
    {"storage.idempotency.same_key_same_answer", "A key's second request gets the first's answer.",
     same_key_same_answer},
    {"storage.idempotency.several_streams", "Keys also hold for appends of several streams.",
     key_of_several_streams},
    {"storage.idempotency.survives_reopen", "Keys are stored.", key_survives_reopen},
    {"storage.idempotency.other_body_is_refused", "A key stands for one request only.",
     other_body_is_refused},
    {"storage.idempotency.keys_are_scoped",
     "Keys of other scopes or another case are other keys; 255 bytes are kept.", keys_are_scoped},
    {"storage.idempotency.within_a_group", "A key counts from the append before in the group.",
     key_within_a_group},
    {"storage.idempotency.refused_append_takes_no_key", "An append that failed leaves its key.",
     refused_append_takes_no_key},
    {"storage.event_id.retry_is_duplicate",
     "The same ids are stored once, whatever version is expected.", retry_is_duplicate},
    {"storage.event_id.retry_of_several_streams",
     "The same ids of several streams are stored once.", retry_of_several_streams},
    {"storage.event_id.retry_within_a_group", "The same append twice in a group is stored once.",
     retry_within_a_group},
    {"storage.event_id.taken_is_refused", "An id belongs to one event for ever.", taken_is_refused},
    {"storage.event_id.other_content_is_refused",
     "The same id with another type, content type or data is another event; metadata may differ.",
     other_content_is_refused},
    {"storage.event_id.taken_within_a_group", "Ids count from the append before in the group.",
     taken_within_a_group},
};

}  // namespace

std::span<const StorageCase> retry_cases() {
  return kCases;
}

}  // namespace vouch::conformance
