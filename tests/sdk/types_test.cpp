// Stream names, partitions, versions and expected versions.
#include "vouch/types.h"

#include <catch2/catch.hpp>
#include <vector>

#include "vouch/event.h"

namespace vouch {
namespace {

TEST_CASE("a stream name has 1 to 255 bytes") {
  CHECK_FALSE(StreamName::valid(""));
  CHECK(StreamName::valid("a"));
  CHECK_FALSE(StreamName::valid("."));
  CHECK_FALSE(StreamName::valid(".."));
  CHECK(StreamName::valid("..."));
  CHECK(StreamName::valid(std::string(255, 'a')));
  CHECK_FALSE(StreamName::valid(std::string(256, 'a')));
}

TEST_CASE("a stream name is made of letters, digits and seven marks") {
  const std::string legal = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:@~";
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    INFO(byte);
    CHECK(StreamName::valid(std::string("a") + c) == (legal.find(c) != std::string::npos));
  }
}

TEST_CASE("a parsed stream name is kept and an illegal one refused in words") {
  const auto good = StreamName::parse("order-1.x_y:z@a~b");
  REQUIRE(good.ok());
  CHECK(good->str() == "order-1.x_y:z@a~b");
  const auto bad = StreamName::parse("order 1");
  REQUIRE_FALSE(bad.ok());
  CHECK(bad.status().code() == StatusCode::invalid_argument);
  CHECK_FALSE(bad.status().message().empty());
}

TEST_CASE("a category is what stands before the first dash") {
  CHECK(StreamName::category_of("order-1-2") == "order");
  CHECK(StreamName::category_of("order") == "order");
  CHECK(StreamName::category_of("-1") == "");
  CHECK(StreamName::category_of("order-") == "order");
  CHECK(StreamName::unchecked("cart.eu-7").category() == "cart.eu");
}

TEST_CASE("a stream's partition never changes") {
  // Stores depend on these numbers for ever; they were computed apart from this code.
  struct Vector {
    std::string stream;
    std::uint32_t of_8;
    std::uint32_t of_1000;
    std::uint32_t of_most;
  };
  const std::vector<Vector> vectors{
      {"", 6, 342, 2859026567},        {"a", 3, 315, 744585140},
      {"order-1", 5, 757, 2215386067}, {"order-2", 3, 443, 2511185878},
      {"Order-1", 2, 610, 1394885000}, {"customer-42", 1, 401, 3752172791},
      {"~", 2, 298, 3143480218},
  };
  for (const Vector& vector : vectors) {
    INFO(vector.stream);
    CHECK(partition_of(vector.stream, 8).value == vector.of_8);
    CHECK(partition_of(vector.stream, 1000).value == vector.of_1000);
    CHECK(partition_of(vector.stream, 4294967295U).value == vector.of_most);
    CHECK(partition_of(vector.stream, 1).value == 0);
  }
  CHECK(partition_of(std::string(255, 'z'), 4294967295U).value == 2247957097);
}

TEST_CASE("partitions are filled evenly by names that count up") {
  constexpr int kStreams = 80'000;
  for (const std::uint32_t count : {2U, 8U, 12U, 64U}) {
    std::vector<int> filled(count);
    for (int i = 0; i < kStreams; ++i) {
      ++filled[partition_of("order-" + std::to_string(i), count).value];
    }
    const double fair = static_cast<double>(kStreams) / count;
    for (const int streams : filled) {
      CHECK(streams > fair * 0.85);
      CHECK(streams < fair * 1.15);
    }
  }
}

TEST_CASE("an expected version is met or not") {
  const Version none{0};
  const Version three{3};
  CHECK(ExpectedVersion::any().met_by(none));
  CHECK(ExpectedVersion::any().met_by(three));
  CHECK(ExpectedVersion::none().met_by(none));
  CHECK_FALSE(ExpectedVersion::none().met_by(three));
  CHECK_FALSE(ExpectedVersion::exists().met_by(none));
  CHECK(ExpectedVersion::exists().met_by(three));
  CHECK(ExpectedVersion::exact(three).met_by(three));
  CHECK_FALSE(ExpectedVersion::exact(three).met_by({2}));
  CHECK_FALSE(ExpectedVersion::exact(three).met_by({4}));
  CHECK(ExpectedVersion::exact(none).met_by(none));
}

TEST_CASE("versions count up from 0") {
  CHECK(Version{}.value == 0);
  CHECK(Version{}.next() == Version{1});
  CHECK(Version{1} < Version{2});
}

TEST_CASE("an event owns what a view lends") {
  Event event;
  {
    const std::string data("\0\x01 data", 7);
    const std::string stream = "order-1";
    event = Event(EventView{{}, stream, {4}, "Placed", {5}, "text/plain", data, "{}"});
  }
  const EventView view = event.view();
  CHECK(view.stream == "order-1");
  CHECK(view.version == Version{4});
  CHECK(view.data == std::string_view("\0\x01 data", 7));
  CHECK(view.metadata == "{}");
}

}  // namespace
}  // namespace vouch
