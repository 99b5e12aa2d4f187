// The feed's cursors and budgets, and the list of streams.
#include <catch2/catch.hpp>

#include "sqlite_fixture.h"

namespace vouch::sqlite::test {

namespace {

class FeedCollector final : public FeedSink {
 public:
  bool event(const EventView& event, std::string_view after) override {
    streams.emplace_back(event.stream);
    cursors.emplace_back(after);
    return streams.size() < stop_at;
  }
  std::vector<std::string> streams;
  std::vector<std::string> cursors;
  std::size_t stop_at = 1'000'000;
};

class StreamCollector final : public StreamSink {
 public:
  bool stream(std::string_view name, Version head) override {
    names.push_back(std::string(name) + "@" + std::to_string(head.value));
    return true;
  }
  std::vector<std::string> names;
};

std::vector<std::string> list(SqliteStorage& storage, std::string_view category,
                              std::string_view after, std::uint32_t limit = 100) {
  StreamCollector found;
  REQUIRE(storage.reader().streams(category, after, limit, found).ok());
  return found.names;
}

}  // namespace

TEST_CASE("Cursors that this store never gave out are refused") {
  const TemporaryDirectory directory;
  OpenStore store(directory.file("shop.db"));
  commit_one(*store.lane(), append_to("cart-1", 2));
  const std::string eight_zeros(8, '\0');
  const std::string beyond("\0\0\0\0\0\0\0\x03", 8);
  const std::string negative(8, '\xff');
  for (const std::string& bytes :
       {std::string("x"), std::string(9, 'x'), eight_zeros, beyond, negative}) {
    FeedCollector sink;
    const auto page = store->reader().feed({Cursor{bytes}, {}, {}, 10}, sink);
    CHECK(page.status().code() == StatusCode::invalid_argument);
    CHECK(sink.streams.empty());
  }
  CHECK(store->reader().reached({"x"}, {}).status().code() == StatusCode::invalid_argument);
  const Cursor end = store->reader().feed_end().value();
  CHECK(store->reader().reached(end, end).value());
  CHECK_FALSE(store->reader().reached({}, end).value());
}

TEST_CASE("A rare filter ends a page early with a cursor behind what was looked at") {
  const TemporaryDirectory directory;
  OpenStore store(directory.file("shop.db"));
  auto lane = store.lane();
  commit_one(*lane, append_to("noise-1", 60'000));
  commit_one(*lane, append_to("cart-1"));
  FeedCollector sink;
  FeedQuery query{{}, {}, {"cart", "", ""}, 10};
  const auto first = store->reader().feed(query, sink);
  REQUIRE(first.ok());
  CHECK(sink.streams.empty());
  CHECK_FALSE(first->at_end);
  query.after = first->next;
  const auto second = store->reader().feed(query, sink);
  REQUIRE(second.ok());
  CHECK(sink.streams == std::vector<std::string>{"cart-1"});
  CHECK(second->at_end);
  CHECK(second->next == store->reader().feed_end().value());
}

TEST_CASE("A page ends where its sink, its limit or `until` says") {
  const TemporaryDirectory directory;
  OpenStore store(directory.file("shop.db"));
  auto lane = store.lane();
  commit_one(*lane, append_to("cart-1", 4));
  const Cursor middle = store->reader().feed_end().value();
  commit_one(*lane, append_to("cart-2", 4));
  FeedCollector stopped;
  stopped.stop_at = 2;
  const auto by_sink = store->reader().feed({{}, {}, {}, 100}, stopped);
  REQUIRE(by_sink.ok());
  CHECK(by_sink->next.bytes == stopped.cursors.back());
  CHECK(stopped.streams.size() == 2);
  CHECK_FALSE(by_sink->at_end);
  FeedCollector limited;
  const auto by_limit = store->reader().feed({by_sink->next, {}, {}, 6}, limited);
  REQUIRE(by_limit.ok());
  CHECK(limited.streams.size() == 6);
  CHECK(by_limit->at_end);
  FeedCollector until;
  const auto by_until = store->reader().feed({{}, middle, {}, 100}, until);
  REQUIRE(by_until.ok());
  CHECK(until.streams.size() == 4);
  CHECK(by_until->at_end);
  CHECK(by_until->next == middle);
}

TEST_CASE("A filter by category takes the category's streams and no neighbour's") {
  const TemporaryDirectory directory;
  OpenStore store(directory.file("shop.db"));
  auto lane = store.lane();
  for (const char* name : {"car-1", "cart", "cart-1", "cart.x-1", "carts-1", "Cart-1", "cart-~"}) {
    commit_one(*lane, append_to(name));
  }
  FeedCollector sink;
  REQUIRE(store->reader().feed({{}, {}, {"cart", "", ""}, 100}, sink).ok());
  CHECK(sink.streams == std::vector<std::string>{"cart", "cart-1", "cart-~"});
  CHECK(list(*store, "cart", "") == std::vector<std::string>{"cart@1", "cart-1@1", "cart-~@1"});
  CHECK(list(*store, "cart", "cart") == std::vector<std::string>{"cart-1@1", "cart-~@1"});
  CHECK(list(*store, "cart", "zoo").empty());
}

TEST_CASE("Streams are listed by name with their heads, page by page, whatever their length") {
  const TemporaryDirectory directory;
  OpenStore store(directory.file("shop.db"));
  auto lane = store.lane();
  commit_one(*lane, append_to("b-1", 20'000));
  commit_one(*lane, append_to("a-1", 2));
  commit_one(*lane, append_to("c-1", 3));
  CHECK(list(*store, "", "") == std::vector<std::string>{"a-1@2", "b-1@20000", "c-1@3"});
  CHECK(list(*store, "", "a-1", 1) == std::vector<std::string>{"b-1@20000"});
}

TEST_CASE("The statements that must stay fast use their index and sort nothing") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("shop.db");
  OpenStore store(path);
  const auto plan = [&](const std::string& sql) {
    sqlite3* handle = nullptr;
    REQUIRE(sqlite3_open(path.c_str(), &handle) == SQLITE_OK);
    std::string text;
    {
      Statement statement(handle, "EXPLAIN QUERY PLAN " + sql);
      Rows rows = statement.run();
      while (rows.next()) text += std::string(rows.bytes(3)) + "; ";
    }
    sqlite3_close(handle);
    return text;
  };
  using Catch::Matchers::Contains;
  const std::string ready_plan = plan(
      "SELECT number FROM deliveries WHERE partition = 1 AND delivered_at IS NULL AND "
      "number > 5 AND number <= 9 ORDER BY number LIMIT 3");
  CHECK_THAT(ready_plan, Contains("deliveries_undelivered (partition=? AND rowid>? AND rowid<?)"));
  CHECK_THAT(ready_plan, !Contains("TEMP B-TREE"));
  const std::string streams_plan = plan(
      "SELECT stream FROM events WHERE stream > 'a' AND stream < 'b' "
      "ORDER BY stream, version LIMIT 1");
  CHECK_THAT(streams_plan, Contains("COVERING INDEX events_stream_version"));
  CHECK_THAT(streams_plan, !Contains("TEMP B-TREE"));
}

}  // namespace vouch::sqlite::test
