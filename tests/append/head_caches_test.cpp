#include "head_caches.h"

#include <catch2/catch.hpp>

namespace vouch::append {
namespace {

const StreamName kStream = StreamName::unchecked("account-1");
constexpr Partition kHere{1};

TEST_CASE("heads are remembered by partition, each with its share of the room") {
  HeadCaches heads(4, 8);
  heads.put(kHere, kStream, Version{3}, heads.generation());
  CHECK(heads.find(kHere, kStream) == Version{3});
  CHECK_FALSE(heads.find({2}, kStream).has_value());
  for (int i = 0; i < 2; ++i) {
    heads.put(kHere, StreamName::unchecked("other-" + std::to_string(i)), Version{1},
              heads.generation());
  }
  CHECK_FALSE(heads.find(kHere, kStream).has_value());
  heads.put({2}, kStream, Version{4}, heads.generation());
  heads.erase({2}, kStream);
  CHECK_FALSE(heads.find({2}, kStream).has_value());
}

TEST_CASE("what was learnt before everything was forgotten is not put in any more") {
  HeadCaches heads(4, 100);
  const std::uint64_t before = heads.generation();
  heads.put(kHere, kStream, Version{3}, before);
  heads.clear();
  CHECK_FALSE(heads.find(kHere, kStream).has_value());
  heads.put(kHere, kStream, Version{3}, before);
  CHECK_FALSE(heads.find(kHere, kStream).has_value());
  heads.put(kHere, kStream, Version{2}, heads.generation());
  CHECK(heads.find(kHere, kStream) == Version{2});
}

TEST_CASE("no room means that nothing is remembered") {
  HeadCaches heads(4, 0);
  heads.put(kHere, kStream, Version{3}, heads.generation());
  CHECK_FALSE(heads.find(kHere, kStream).has_value());
}

}  // namespace
}  // namespace vouch::append
