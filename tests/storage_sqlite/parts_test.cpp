// The plugin's smaller parts: the turn, marks, settings.
#include <catch2/catch.hpp>
#include <thread>

#include "errors.h"
#include "marks.h"
#include "options.h"
#include "sqlite_fixture.h"
#include "write_turn.h"

namespace vouch::sqlite::test {

using namespace std::chrono_literals;

TEST_CASE("The write turn goes to whoever asked first") {
  WriteTurn turn;
  REQUIRE(turn.take(0ms));
  std::vector<int> order;
  std::thread first([&] {
    if (turn.take(5s)) order.push_back(1);
    turn.give_back();
  });
  std::this_thread::sleep_for(50ms);
  std::thread second([&] {
    if (turn.take(5s)) order.push_back(2);
    turn.give_back();
  });
  std::this_thread::sleep_for(50ms);
  turn.give_back();
  first.join();
  second.join();
  CHECK(order == std::vector<int>{1, 2});
}

TEST_CASE("Who gives up waiting for the turn does not block those behind") {
  WriteTurn turn;
  REQUIRE(turn.take(0ms));
  bool gave_up = false;
  bool served = false;
  std::thread impatient([&] { gave_up = !turn.take(50ms); });
  std::this_thread::sleep_for(20ms);
  std::thread patient([&] {
    served = turn.take(5s);
    turn.give_back();
  });
  impatient.join();
  turn.give_back();
  patient.join();
  CHECK(gave_up);
  CHECK(served);
}

TEST_CASE("The settings table gives the documented defaults") {
  const auto settings =
      testkit::make_settings(kSettings, {{"path", std::string("/var/lib/vouch/../vouch/shop.db")}});
  const Options options = options_from(settings);
  CHECK(options.path == "/var/lib/vouch/shop.db");
  CHECK(options.busy_timeout == 5s);
  CHECK(options.cache_bytes == 32U << 20U);
  CHECK(options.checkpoint_bytes == 8U << 20U);
  CHECK(options.mmap_bytes == 0);
  CHECK(options.readers == 16);
  CHECK_THROWS_AS(testkit::make_settings(kSettings, {}), std::invalid_argument);
}

TEST_CASE("Paths that are no files are refused by the settings") {
  class Problems final : public SettingProblems {
   public:
    void problem(std::string_view key, std::string_view message) override {
      found.push_back(std::string(key) + ": " + std::string(message));
    }
    std::vector<std::string> found;
  };
  for (const char* path : {":memory:", "file:shop.db?mode=memory", "/var/lib/vouch/"}) {
    Problems problems;
    validate_settings(testkit::make_settings(kSettings, {{"path", std::string(path)}}), problems);
    CHECK(problems.found.size() == 1);
  }
  Problems none;
  validate_settings(testkit::make_settings(kSettings, {{"path", std::string("/tmp/shop.db")}}),
                    none);
  CHECK(none.found.empty());
}

}  // namespace vouch::sqlite::test
