// Cases about dead letters. They skip where the storage keeps none.
#include "storage_cases.h"
#include "storage_kit.h"
#include "vouch/dead_letter_store.h"

namespace vouch::conformance {
namespace {

DeadLetterStore& letters_of(StorageUnderTest& under_test) {
  void* const found = under_test.storage().query(DeadLetterStore::kInterface);
  if (found == nullptr) throw CaseSkipped("the storage keeps no dead letters");
  return *static_cast<DeadLetterStore*>(found);
}

DeadLetter letter(const std::string& route, const std::string& stream, std::uint64_t version) {
  DeadLetter one;
  one.key = {route, stream};
  one.partition = partition_of(stream, StorageUnderTest::identity().partitions);
  one.version = {version};
  one.last = {version};
  for (std::size_t i = 0; i < one.event.bytes.size(); ++i) {
    one.event.bytes[i] = static_cast<std::uint8_t>(250 + i);
  }
  one.topic = "events." + stream;
  one.reason = "too large: 7 \"bytes\"; größer";
  one.since = {1'700'000'000'000'001};
  one.attempts = 3;
  return one;
}

void put(DeadLetterStore& store, const DeadLetter& one) {
  expect_ok("kept a dead letter", store.put(std::span<const DeadLetter>(&one, 1)));
}

DeadLetter get(DeadLetterStore& store, const DeadLetterKey& key) {
  const auto found = expect_value("asked for a dead letter", store.find(key));
  expect(found.has_value(), "asked for the dead letter of " + key.stream, "it", "nothing");
  return *found;
}

void expect_none(std::string_view done, Result<std::optional<DeadLetter>> result) {
  const auto found = expect_value(done, std::move(result));
  expect(!found, done, "nothing", found ? "that of " + found->key.stream : "");
}

std::vector<std::string> texts_of(const std::vector<DeadLetterKey>& keys) {
  std::vector<std::string> texts;
  for (const DeadLetterKey& key : keys) texts.push_back(key.route + " " + key.stream);
  return texts;
}

void expect_same(const DeadLetter& wanted, const DeadLetter& found) {
  expect_equal("a dead letter's route", wanted.key.route, found.key.route);
  expect_equal("its stream", wanted.key.stream, found.key.stream);
  expect_equal("its partition", wanted.partition.value, found.partition.value);
  expect_equal("its version", wanted.version.value, found.version.value);
  expect_equal("its last version", wanted.last.value, found.last.value);
  expect_equal("whether it is released", wanted.released, found.released);
  expect(wanted.event == found.event, "its event", wanted.event.to_string(),
         found.event.to_string());
  expect_equal("its topic", wanted.topic, found.topic);
  expect_equal("its reason", wanted.reason, found.reason);
  expect_equal("its time", wanted.since.micros, found.since.micros);
  expect_equal("its attempts", wanted.attempts, found.attempts);
}

void everything_is_kept(StorageUnderTest& under_test) {
  const DeadLetter one = letter("main/events.{category}", "order-1", 7);
  DeadLetter other = letter("edge", "order-1", 2);
  other.released = true;
  other.topic.clear();
  {
    DeadLetterStore& store = letters_of(under_test);
    expect_none("asked an empty store for a dead letter", store.find(one.key));
    put(store, one);
    put(store, other);
  }
  under_test.reopen();
  DeadLetterStore& store = letters_of(under_test);
  expect_same(one, get(store, one.key));
  expect_same(other, get(store, other.key));
}

void lower_version_wins(StorageUnderTest& under_test) {
  DeadLetterStore& store = letters_of(under_test);
  const DeadLetter first = letter("r", "order-1", 7);
  put(store, first);
  const std::uint64_t revision = get(store, first.key).revision;
  put(store, first);
  expect_equal("kept it again, its revision", revision, get(store, first.key).revision);

  DeadLetter behind = letter("r", "order-1", 9);
  behind.released = true;
  behind.reason = "waits";
  put(store, behind);
  DeadLetter wanted = first;
  wanted.last = {9};
  expect_same(wanted, get(store, first.key));
  const auto revised = get(store, first.key).revision;
  expect(revised > revision, "kept one of a higher version, its revision",
         "above " + describe(revision), describe(revised));

  DeadLetter before = letter("r", "order-1", 4);
  before.reason = "earlier";
  before.attempts = 1;
  put(store, before);
  wanted = before;
  wanted.last = {9};
  expect_same(wanted, get(store, first.key));
}

void changes_need_the_revision(StorageUnderTest& under_test) {
  DeadLetterStore& store = letters_of(under_test);
  put(store, letter("r", "order-1", 7));
  const DeadLetter old = get(store, {"r", "order-1"});
  DeadLetter next = old;
  next.version = {8};
  next.last = {12};
  next.released = true;
  next.reason = "again";
  next.attempts = 4;
  expect(expect_value("replaced", store.replace(old, next)), "replaced", "true", "false");
  const DeadLetter now = get(store, old.key);
  expect_same(next, now);
  expect(!expect_value("replaced the old one", store.replace(old, old)), "replaced the old one",
         "false", "true");
  expect(!expect_value("removed the old one", store.remove(old)), "removed the old one", "false",
         "true");
  expect_same(next, get(store, old.key));
  expect(expect_value("removed", store.remove(now)), "removed", "true", "false");
  expect_none("asked for a removed dead letter", store.find(old.key));
  expect(!expect_value("removed it again", store.remove(now)), "removed it again", "false", "true");
  expect(!expect_value("replaced a removed one", store.replace(now, now)), "replaced", "false",
         "true");
}

void listed_in_order(StorageUnderTest& under_test) {
  DeadLetterStore& store = letters_of(under_test);
  std::vector<DeadLetterKey> keys;
  for (const char* route : {"B", "a", "a/b", "ab"}) {
    for (const char* stream : {"Order-1", "order-1", "order-10", "order-2"}) {
      keys.push_back({route, stream});
    }
  }
  for (auto key = keys.rbegin(); key != keys.rend(); ++key) {
    put(store, letter(key->route, key->stream, 1));
  }
  for (const std::uint32_t page : {1U, 3U, 100U}) {
    std::vector<DeadLetterKey> listed;
    for (DeadLetterKey after;;) {
      const auto found = expect_value("listed", store.list({}, after, page));
      expect(found.size() <= page, "listed with a limit", "at most " + std::to_string(page),
             std::to_string(found.size()));
      for (const DeadLetter& one : found) listed.push_back(one.key);
      if (found.size() < page) break;
      after = listed.back();
    }
    expect_equal("listed in pages of " + std::to_string(page) + ", in the order of bytes",
                 texts_of(keys), texts_of(listed));
  }
  const Partition wanted = partition_of("order-2", StorageUnderTest::identity().partitions);
  const auto some =
      expect_value("listed", store.list(std::span<const Partition>(&wanted, 1), {}, 100));
  std::size_t of_partition = 0;
  for (const DeadLetterKey& key : keys) {
    if (partition_of(key.stream, StorageUnderTest::identity().partitions) == wanted) ++of_partition;
  }
  expect_equal("listed one partition", of_partition, some.size());
  for (const DeadLetter& one : some) {
    expect(one.partition == wanted, "listed one partition", "its letters", one.key.stream);
  }
}

constexpr StorageCase kCases[] = {
    {"storage.dead_letters.everything_is_kept", "A dead letter survives a restart as it was.",
     everything_is_kept},
    {"storage.dead_letters.lower_version_wins",
     "Of two letters of a stream the earlier one stays, and the highest version that waits.",
     lower_version_wins},
    {"storage.dead_letters.changes_need_the_revision",
     "Who does not know a letter's newest state does not change it.", changes_need_the_revision},
    {"storage.dead_letters.listed_in_order", "Letters are listed in pages, by partition.",
     listed_in_order},
};

}  // namespace

std::span<const StorageCase> dead_letter_cases() {
  return kCases;
}

}  // namespace vouch::conformance
