#include "vouch/staging/stored_result.h"

#include <catch2/catch.hpp>
#include <string>

namespace vouch::staging {
namespace {

TEST_CASE("a kept result comes back as a duplicate, and damaged bytes are told apart") {
  StageResult result;
  result.ranges = {{{1}, {3}}, {{7}, {7}}};
  result.ids.resize(2);
  result.ids[1].bytes.fill(0xab);
  result.token = {{2}, {std::uint64_t{5} << 32U}, "native"};
  result.deliveries = {{{1}, {10}}, {{3}, {11}}};
  const std::string bytes = encode_result(result);
  const Result<StageResult> again = decode_result(bytes);
  REQUIRE(again.ok());
  CHECK(again->outcome == StageOutcome::duplicate);
  REQUIRE(again->ranges.size() == 2);
  CHECK(again->ranges[0].last == Version{3});
  CHECK(again->ids == result.ids);
  CHECK(again->token == result.token);
  CHECK(again->deliveries == result.deliveries);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK(decode_result(bytes.substr(0, size)).status().code() == StatusCode::corrupt);
  }
  CHECK(decode_result(bytes + "x").status().code() == StatusCode::corrupt);
  CHECK(decode_result(std::string(bytes.size(), '\xff')).status().code() == StatusCode::corrupt);
}

}  // namespace
}  // namespace vouch::staging
