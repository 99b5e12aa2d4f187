// The opaque texts that clients give back: cursors (read on from in a store with known events),
// transactions, event ids, base64, times. Each has one form, and a store takes only what it may
// have given out. The store is a file in a directory of its own.
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "format/text_codec.h"
#include "fuzz_target.h"
#include "sqlite_storage.h"
#include "vouch/testkit/test_services.h"

namespace vouch::fuzz {
namespace {

constexpr std::uint8_t kEvents = 40;

void must(const Status& status) {
  if (!status.ok()) throw std::runtime_error(status.to_string());
}

/// A directory that goes away with the process.
class Scratch {
 public:
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "vouch-fuzz-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    path_ = name;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] sqlite::Options store() const {
    sqlite::Options options;
    options.path = path_ / "store.db";
    return options;
  }

 private:
  std::filesystem::path path_;
};

/// A store with forty events of four streams, each in a transaction of its own.
class Store {
 public:
  Store() : storage_(services_, scratch_.store()) {
    must(storage_.open());
    must(storage_.migrate({"shop", 4}));
    auto lane = storage_.lane({0}, std::chrono::milliseconds(0));
    must(lane.status());
    for (std::uint8_t i = 0; i < kEvents; ++i) commit(**lane, i);
  }
  ~Store() { storage_.close(); }
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  Storage& storage() { return storage_; }

 private:
  static void commit(Lane& lane, std::uint8_t number) {
    Append append;
    Write& write = append.writes.emplace_back();
    write.stream = StreamName::unchecked("s-" + std::to_string(number % 4));
    write.partition = partition_of(write.stream.view(), 4);
    NewEvent& event = write.events.emplace_back();
    event.id.bytes.back() = static_cast<std::uint8_t>(number + 1);
    event.type = "t";
    event.content_type = "application/json";
    event.data = std::to_string(number);
    must(lane.stage({&append, 1}).status());
    must(lane.commit().reason);
  }

  Scratch scratch_;
  testkit::TestServices services_;
  sqlite::SqliteStorage storage_;
};

/// The events of a page by their number, and the cursors behind them.
class Page final : public FeedSink {
 public:
  bool event(const EventView& event, std::string_view after) override {
    numbers.push_back(std::stoi(std::string(event.data)));
    cursors.push_back(Cursor{std::string(after)});
    return true;
  }
  std::vector<int> numbers;
  std::vector<Cursor> cursors;
};

void read_on(Storage& storage, const Cursor& cursor, std::string_view text) {
  FeedQuery query;
  query.after = cursor;
  query.limit = 7;
  Page whole;
  for (;;) {
    const auto page = storage.reader().feed(query, whole);
    if (!page.ok()) {
      demand(page.status().code() == StatusCode::invalid_argument, "a refused cursor is bad input",
             text);
      demand(whole.numbers.empty(), "only the given cursor is refused", text);
      return;
    }
    query.after = page->next;
    if (page->at_end) break;
  }
  // From a place in the feed on, everything behind it, once and in order.
  demand(whole.numbers.size() <= kEvents, "no event comes twice", text);
  int next = kEvents - static_cast<int>(whole.numbers.size());
  for (const int number : whole.numbers) demand(number == next++, "no event is passed over", text);
  for (const Cursor& place : whole.cursors) {
    const auto there = format::cursor_from_text(format::cursor_text(place));
    demand(there && there->bytes == place.bytes, "a cursor that was given out is taken", text);
  }
}

void check_cursor(Storage& storage, std::string_view text) {
  const auto cursor = format::cursor_from_text(text);
  if (!cursor) return;
  demand(format::cursor_text(*cursor) == text, "a cursor has one text", text);
  read_on(storage, *cursor, text);
  const auto reached = storage.reader().reached(*cursor, *cursor);
  demand(!reached.ok() || *reached, "a place has been reached by itself", text);
}

void check_transaction(Storage& storage, std::string_view text) {
  const auto token = format::token_from_text(text);
  if (!token) return;
  demand(format::token_text(*token) == text, "a transaction has one text", text);
  const auto verdicts = storage.resolve({&*token, 1});
  demand(verdicts.ok() && verdicts->size() == 1, "any transaction can be asked about", text);
  demand(verdicts->front() != Verdict::in_progress, "nothing is in progress", text);
}

void check_id(Storage& storage, std::string_view text) {
  class Found final : public EventSink {
   public:
    bool event(const EventView& /*event*/) override { return true; }
  };
  const auto id = EventId::parse(text);
  if (!id) return;
  demand(id->to_string() == text, "an event id has one text", text);
  Found found;
  const Status status = storage.reader().event(*id, found);
  demand(status.ok() || status.code() == StatusCode::not_found, "any id can be asked for", text);
}

void check_base64(std::string_view text) {
  const auto bytes = format::from_base64(text);
  if (bytes) demand(format::base64(*bytes) == text, "bytes have one base64", text);
  demand(format::from_base64(format::base64(text)) == text, "bytes come back", text);
  demand(format::from_base64url(format::base64url(text)) == text, "also in the other", text);
}

void check_time(std::string_view text) {
  const auto time = format::time_from_text(text);
  if (!time) return;
  const std::string once = format::time_text(*time);
  const auto again = format::time_from_text(once);
  demand(again.has_value(), "a time that is written can be read", once);
  demand(format::time_text(*again) == once, "and is the same", once);
}

}  // namespace
}  // namespace vouch::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vouch::fuzz;
  static Store store;
  const std::string_view text = text_of(data, size);
  check_cursor(store.storage(), text);
  check_transaction(store.storage(), text);
  check_id(store.storage(), text);
  check_base64(text);
  check_time(text);
  return 0;
}
