// Cases about the feed of all events with one writer; those with several are among the races.
#include <map>

#include "storage_cases.h"
#include "storage_kit.h"

namespace vouch::conformance {
namespace {

/// 60 events on 6 streams of 2 categories, 2 types, in many transactions.
void fill(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  for (int round = 0; round < 10; ++round) {
    std::vector<Append> appends;
    for (int s = 5; s >= 0; --s) {
      Append append = append_to((s % 2 == 0 ? "order-" : "stock-") + std::to_string(s));
      append.writes[0].events[0].type = s < 3 ? "Placed" : "placed";
      appends.push_back(append);
    }
    stage(*lane, appends);
    commit(*lane);
  }
}

void expect_empty_end(std::string_view done, const Page& page) {
  expect(page.events.empty() && page.at_end, done, "no events, at the end",
         std::to_string(page.events.size()) + " events, " +
             (page.at_end ? "at the end" : "not at the end"));
}

void versions_rise_at_every_page_size(StorageUnderTest& under_test) {
  fill(under_test);
  std::vector<EventId> order;
  for (const std::uint32_t limit : {1U, 2U, 3U, 7U, 59U, 60U, 1'000U}) {
    const Page all = read_feed(under_test.storage(), {{}, {}, {}, limit});
    expect_equal("read the feed in pages of " + std::to_string(limit), std::size_t{60},
                 all.events.size());
    std::map<std::string, std::uint64_t> last;
    std::vector<EventId> ids;
    for (const Event& event : all.events) {
      expect_equal("next version of " + event.stream.str(), ++last[event.stream.str()],
                   event.version.value);
      ids.push_back(event.id);
    }
    if (order.empty()) order = ids;
    expect_equal("order in pages of " + std::to_string(limit), order, ids);
  }
}

void every_cursor_reads_on(StorageUnderTest& under_test) {
  fill(under_test);
  Storage& storage = under_test.storage();
  const Page all = read_feed(storage, {{}, {}, {}, 1'000});
  for (std::size_t i = 0; i < all.cursors.size(); i += 7) {
    const Page rest = read_feed(storage, {all.cursors[i], {}, {}, 1'000});
    expect_equal("read on behind an event", all.events.size() - i - 1, rest.events.size());
    if (!rest.events.empty()) {
      expect_equal("next event behind a cursor", all.events[i + 1].id, rest.events[0].id);
    }
  }
}

void cursor_survives_reopen(StorageUnderTest& under_test) {
  fill(under_test);
  const Page all = read_feed(under_test.storage(), {{}, {}, {}, 1'000});
  under_test.reopen();
  {
    auto lane = open_lane(under_test);
    store(*lane, append_to("order-0"));
  }
  const Page rest = read_feed(under_test.storage(), {all.cursors[29], {}, {}, 1'000});
  expect_equal("read on after a restart", std::size_t{31}, rest.events.size());
  expect_equal("next event after a restart", all.events[30].id, rest.events[0].id);
  const Page added = read_feed(under_test.storage(), {all.next, {}, {}, 1'000});
  expect_equal("read on from the end after a restart", std::size_t{1}, added.events.size());
}

void until_bounds_the_page(StorageUnderTest& under_test) {
  fill(under_test);
  Storage& storage = under_test.storage();
  Reader& reader = storage.reader();
  const Cursor end = expect_value("asked for the feed's end", reader.feed_end());
  auto lane = open_lane(under_test);
  store(*lane, append_to("order-0", 5));
  for (const std::uint32_t limit : {1U, 7U, 1'000U}) {
    const Page bounded = read_feed(storage, {{}, end, {}, limit});
    expect_equal("read up to an earlier end", std::size_t{60}, bounded.events.size());
    expect(expect_value("compared", reader.reached(bounded.next, end)), "read up to an earlier end",
           "a cursor that reached it", "one that did not");
  }
  const Page nothing = read_page(storage, {end, end, {}, 10});
  expect_empty_end("read from a place up to itself", nothing);
  const Page all = read_feed(storage, {{}, {}, {}, 1'000});
  expect(!expect_value("compared", reader.reached(all.cursors[58], end)),
         "compared a cursor before the end with it", "not reached", "reached");
  expect(expect_value("compared", reader.reached(all.next, end)),
         "compared a cursor behind the end with it", "reached", "not reached");
  expect(expect_value("compared", reader.reached({}, {})), "compared the start with itself",
         "reached", "not reached");
}

void filters(StorageUnderTest& under_test) {
  fill(under_test);
  Storage& storage = under_test.storage();
  const auto count = [&](const FeedFilter& filter, std::uint32_t limit) {
    return read_feed(storage, {{}, {}, filter, limit}).events.size();
  };
  for (const std::uint32_t limit : {3U, 1'000U}) {
    expect_equal("filtered by category", std::size_t{30}, count({"order", "", ""}, limit));
    expect_equal("filtered by type", std::size_t{30}, count({"", "Placed", ""}, limit));
    expect_equal("filtered by stream", std::size_t{10}, count({"", "", "stock-3"}, limit));
    expect_equal("filtered by category and type", std::size_t{20},
                 count({"order", "Placed", ""}, limit));
    expect_equal("filtered by what contradicts itself", std::size_t{0},
                 count({"order", "", "stock-3"}, limit));
    expect_equal("filtered by what does not exist", std::size_t{0}, count({"ord", "", ""}, limit));
  }
  const Page none = read_feed(storage, {{}, {}, {"nothing", "", ""}, 10});
  expect_equal("read on from the end of an empty filtered feed, events", std::size_t{0},
               read_page(storage, {none.next, {}, {}, 10}).events.size());
}

void end_of_the_feed(StorageUnderTest& under_test) {
  Storage& storage = under_test.storage();
  const Page empty = read_page(storage, {{}, {}, {}, 10});
  expect_empty_end("read the feed of an empty store", empty);
  const Cursor end = expect_value("asked for the end", storage.reader().feed_end());
  expect_equal("read from the end, events", std::size_t{0},
               read_page(storage, {end, {}, {}, 10}).events.size());
  fill(under_test);
  expect_equal("read from an end taken while empty", std::size_t{60},
               read_feed(storage, {end, {}, {}, 100}).events.size());
  expect_equal("read from a cursor taken while empty", std::size_t{60},
               read_feed(storage, {empty.next, {}, {}, 100}).events.size());
  const Page rest = read_page(
      storage, {expect_value("asked for the end", storage.reader().feed_end()), {}, {}, 10});
  expect_empty_end("read from the end", rest);
}

class StopsAt final : public FeedSink {
 public:
  bool event(const EventView& /*event*/, std::string_view after) override {
    last = {std::string(after)};
    return ++seen < 4;
  }
  std::size_t seen = 0;
  Cursor last;
};

void sink_ends_the_page(StorageUnderTest& under_test) {
  fill(under_test);
  StopsAt sink;
  const FeedPage page = expect_value("read until the sink had enough",
                                     under_test.storage().reader().feed({{}, {}, {}, 100}, sink));
  expect_equal("events that the sink was given", std::size_t{4}, sink.seen);
  expect(!page.at_end, "stopped after 4 of 60", "not at the end", "at the end");
  expect(page.next == sink.last, "stopped by the sink", "the cursor behind its last event",
         "another one");
  expect_equal("read on behind it", std::size_t{56},
               read_feed(under_test.storage(), {page.next, {}, {}, 100}).events.size());
}

void rolled_back_is_never_seen(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  store(*lane, append_to("order-1"));
  stage(*lane, {append_to("order-1", 3), append_to("order-2")});
  lane->rollback();
  store(*lane, append_to("order-3"));
  const Page all = read_feed(under_test.storage(), {{}, {}, {}, 1});
  expect_equal("read the feed past a rolled back transaction", std::size_t{2}, all.events.size());
  expect_equal("its second event's stream", name("order-3"), all.events[1].stream);
}

void malformed_cursor_is_refused(StorageUnderTest& under_test) {
  fill(under_test);
  Storage& storage = under_test.storage();
  const std::string real = read_page(storage, {{}, {}, {}, 10}).next.bytes;
  StopsAt sink;
  for (const std::string& bytes :
       {std::string("x"), std::string("\0\xff\x01", 3), std::string(300, 'A'), real + "x"}) {
    const auto read = storage.reader().feed({{bytes}, {}, {}, 10}, sink);
    expect_code("read from a cursor of " + std::to_string(bytes.size()) + " foreign bytes",
                StatusCode::invalid_argument, read.status());
    expect_code("compared a foreign cursor", StatusCode::invalid_argument,
                storage.reader().reached({bytes}, {}).status());
  }
  expect_equal("events given for foreign cursors", std::size_t{0}, sink.seen);
}

constexpr StorageCase kCases[] = {
    {"storage.feed.versions_rise_at_every_page_size",
     "The feed has every event once, a stream's in version order, at any page size.",
     versions_rise_at_every_page_size},
    {"storage.feed.every_cursor_reads_on", "The cursor of an event reads on right behind it.",
     every_cursor_reads_on},
    {"storage.feed.cursor_survives_reopen", "Cursors outlive restarts.", cursor_survives_reopen},
    {"storage.feed.until_bounds_the_page", "Nothing behind `until` is given.",
     until_bounds_the_page},
    {"storage.feed.filters", "Filters by category, type and stream give exactly those.", filters},
    {"storage.feed.end", "The end is told, and what comes later is read from there.",
     end_of_the_feed},
    {"storage.feed.sink_ends_the_page", "A sink that has enough ends the page behind its event.",
     sink_ends_the_page},
    {"storage.feed.rolled_back_is_never_seen", "Rolled back events are not in the feed.",
     rolled_back_is_never_seen},
    {"storage.feed.malformed_cursor_is_refused", "Cursors that were never given are refused.",
     malformed_cursor_is_refused},
};

}  // namespace

std::span<const StorageCase> feed_cases() {
  return kCases;
}

}  // namespace vouch::conformance
