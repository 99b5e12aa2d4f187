#include "head_cache.h"

#include <catch2/catch.hpp>

namespace vouch::append {
namespace {

StreamName name(int i) {
  return StreamName::unchecked("account-" + std::to_string(i));
}

TEST_CASE("a cleared cache knows nothing and takes new heads") {
  HeadCache cache(2);
  cache.put(StreamName::unchecked("a"), Version{1});
  cache.clear();
  CHECK(cache.size() == 0);
  CHECK_FALSE(cache.find(StreamName::unchecked("a")).has_value());
  cache.put(StreamName::unchecked("a"), Version{7});
  CHECK(cache.find(StreamName::unchecked("a")) == Version{7});
}

TEST_CASE("the head cache forgets the stream that was used longest ago") {
  HeadCache heads(3);
  for (int i = 1; i <= 3; ++i) heads.put(name(i), Version{static_cast<std::uint64_t>(i)});
  CHECK(heads.find(name(1)) == Version{1});
  heads.put(name(4), Version{4});
  CHECK(heads.size() == 3);
  CHECK(heads.find(name(2)) == std::nullopt);
  CHECK(heads.find(name(1)) == Version{1});
  CHECK(heads.find(name(4)) == Version{4});
}

TEST_CASE("the head cache takes a new head and drops one that is in doubt") {
  HeadCache heads(3);
  heads.put(name(1), Version{1});
  heads.put(name(1), Version{9});
  CHECK(heads.find(name(1)) == Version{9});
  heads.erase(name(1));
  heads.erase(name(2));
  CHECK(heads.find(name(1)) == std::nullopt);
  CHECK(heads.size() == 0);
}

TEST_CASE("a head cache of no size remembers nothing") {
  HeadCache heads(0);
  heads.put(name(1), Version{1});
  CHECK(heads.find(name(1)) == std::nullopt);
}

}  // namespace
}  // namespace vouch::append
