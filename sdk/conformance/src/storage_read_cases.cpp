// Cases about reading streams, events by id, heads and stream names.
#include <algorithm>

#include "storage_cases.h"
#include "storage_kit.h"

namespace vouch::conformance {
namespace {

using Versions = std::vector<std::uint64_t>;

void fill(StorageUnderTest& under_test, std::string_view stream, std::size_t events) {
  auto lane = open_lane(under_test);
  store(*lane, append_to(stream, events));
  store(*lane, append_to(std::string(stream) + ".other", 3));
}

void stream_forward(StorageUnderTest& under_test) {
  fill(under_test, "order-1", 7);
  Storage& storage = under_test.storage();
  const auto read = [&](std::uint64_t from, std::uint32_t limit) {
    return versions_of(read_stream(storage, "order-1", {from}, Direction::forward, limit));
  };
  expect_equal("read from the start", Versions{1, 2, 3, 4, 5, 6, 7}, read(0, 100));
  expect_equal("read from 1", Versions{1, 2, 3}, read(1, 3));
  expect_equal("read from 4", Versions{4, 5, 6, 7}, read(4, 100));
  expect_equal("read from the head", Versions{7}, read(7, 100));
  expect_equal("read from behind the head", Versions{}, read(8, 100));
  expect_equal("read nothing", Versions{}, read(1, 0));
}

void stream_backward(StorageUnderTest& under_test) {
  fill(under_test, "order-1", 7);
  Storage& storage = under_test.storage();
  const auto read = [&](std::uint64_t from, std::uint32_t limit) {
    return versions_of(read_stream(storage, "order-1", {from}, Direction::backward, limit));
  };
  expect_equal("read backward from the head", Versions{7, 6, 5}, read(0, 3));
  expect_equal("read backward from 4", Versions{4, 3, 2, 1}, read(4, 100));
  expect_equal("read backward from 1", Versions{1}, read(1, 100));
  expect_equal("read backward from behind the head", Versions{7, 6}, read(100, 2));
}

void stream_missing(StorageUnderTest& under_test) {
  fill(under_test, "order-1", 1);
  Storage& storage = under_test.storage();
  expect_equal("read a stream that does not exist", std::size_t{0},
               read_stream(storage, "order-2").size());
  expect_equal("read it backward", std::size_t{0},
               read_stream(storage, "order-2", {}, Direction::backward).size());
  expect_equal("read its head", Version{0}, head_of(storage, "order-2"));
}

void stream_long(StorageUnderTest& under_test) {
  constexpr std::uint64_t kEvents = 12'345;
  fill(under_test, "order-1", kEvents);
  Versions all;
  for (std::uint64_t v = 1; v <= kEvents; ++v) all.push_back(v);
  expect_equal("read a long stream", all,
               versions_of(read_stream(under_test.storage(), "order-1")));
  std::reverse(all.begin(), all.end());
  expect_equal("read a long stream backward", all,
               versions_of(read_stream(under_test.storage(), "order-1", {}, Direction::backward)));
}

class StopsAfter final : public EventSink {
 public:
  explicit StopsAfter(std::size_t wanted) : wanted_(wanted) {}
  bool event(const EventView& /*event*/) override { return ++seen < wanted_; }
  std::size_t seen = 0;

 private:
  std::size_t wanted_;
};

void sink_ends_the_read(StorageUnderTest& under_test) {
  fill(under_test, "order-1", 9);
  StopsAfter sink(4);
  expect_ok(
      "read a stream until the sink had enough",
      under_test.storage().reader().stream(name("order-1"), {}, Direction::forward, 100, sink));
  expect_equal("events that the sink was given", std::size_t{4}, sink.seen);
}

class Keeps final : public EventSink {
 public:
  bool event(const EventView& event) override {
    kept.emplace_back(event);
    return true;
  }
  std::vector<Event> kept;
};

void event_by_id(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  const Append append = append_to("order-1", 3);
  store(*lane, append);
  Keeps sink;
  Reader& reader = under_test.storage().reader();
  expect_ok("read an event by its id", reader.event(append.writes[0].events[1].id, sink));
  expect_equal("events given", std::size_t{1}, sink.kept.size());
  expect_equal("its version", Version{2}, sink.kept[0].version);
  expect_equal("its stream", name("order-1"), sink.kept[0].stream);
  expect_code("read an event that does not exist", StatusCode::not_found,
              reader.event(fresh_id(), sink));
  const Append open = append_to("order-2");
  stage(*lane, {open});
  expect_code("read an event that is not committed", StatusCode::not_found,
              reader.event(open.writes[0].events[0].id, sink));
  expect_equal("events given", std::size_t{1}, sink.kept.size());
}

void heads_in_order(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  store(*lane, append_to("b-1", 2));
  store(*lane, append_to("a-1", 1));
  store(*lane, append_to("c-1", 3));
  const std::vector<StreamName> asked{name("c-1"), name("none"), name("a-1"), name("b-1"),
                                      name("c-1")};
  const auto heads = expect_value("read heads", under_test.storage().reader().heads(asked));
  const std::vector<Version> expected{{3}, {0}, {1}, {2}, {3}};
  expect_equal("read heads in the order asked", expected, heads);
  const auto none = expect_value("read no heads", under_test.storage().reader().heads({}));
  expect_equal("read no heads", std::size_t{0}, none.size());
}

class Names final : public StreamSink {
 public:
  explicit Names(std::size_t wanted = 1'000) : wanted_(wanted) {}
  bool stream(std::string_view stream, Version head) override {
    found.push_back(std::string(stream) + "@" + std::to_string(head.value));
    return found.size() < wanted_;
  }
  std::vector<std::string> found;

 private:
  std::size_t wanted_;
};

void streams_by_name(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  for (const char* stream : {"order-2", "order-10", "orders-1", "Order-1", "order", "a-1"}) {
    store(*lane, append_to(stream, 2));
  }
  Reader& reader = under_test.storage().reader();
  const auto list = [&](std::string_view category, std::string_view after, std::uint32_t limit) {
    Names names;
    expect_ok("listed streams", reader.streams(category, after, limit, names));
    return names.found;
  };
  using List = std::vector<std::string>;
  expect_equal("listed all streams",
               List{"Order-1@2", "a-1@2", "order@2", "order-10@2", "order-2@2", "orders-1@2"},
               list("", "", 100));
  expect_equal("listed a category", List{"order@2", "order-10@2", "order-2@2"},
               list("order", "", 100));
  expect_equal("listed behind a name", List{"order-2@2", "orders-1@2"}, list("", "order-10", 100));
  expect_equal("listed behind a name that does not exist", List{"order-2@2"},
               list("order", "order-11", 100));
  expect_equal("listed two", List{"Order-1@2", "a-1@2"}, list("", "", 2));
  expect_equal("listed an unknown category", List{}, list("nothing", "", 100));
  Names two(2);
  expect_ok("listed until the sink had enough", reader.streams("", "", 100, two));
  expect_equal("names that the sink was given", std::size_t{2}, two.found.size());
}

constexpr StorageCase kCases[] = {
    {"storage.read.stream_forward", "A stream is read from a version, up to a limit.",
     stream_forward},
    {"storage.read.stream_backward", "A stream is read backward from a version or its head.",
     stream_backward},
    {"storage.read.missing_stream_is_empty", "A stream that does not exist has no events.",
     stream_missing},
    {"storage.read.long_stream", "A stream longer than any page is read completely.", stream_long},
    {"storage.read.sink_ends_the_read", "A sink that has enough is given no more.",
     sink_ends_the_read},
    {"storage.read.event_by_id", "A committed event is found by its id.", event_by_id},
    {"storage.read.heads_in_the_order_asked", "Heads come in the order asked.", heads_in_order},
    {"storage.streams.by_name_and_category", "Streams are listed by name, bytewise.",
     streams_by_name},
};

}  // namespace

std::span<const StorageCase> read_cases() {
  return kCases;
}

}  // namespace vouch::conformance
