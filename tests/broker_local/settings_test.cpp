// The settings table of the local broker.
#include <catch2/catch.hpp>

#include "fixture.h"

namespace vouch::broker_local {
namespace {

class Problems final : public SettingProblems {
 public:
  void problem(std::string_view key, std::string_view message) override {
    texts.push_back(std::string(key) + " " + std::string(message));
  }
  std::vector<std::string> texts;
};

std::vector<std::string> problems_of(std::vector<values::GivenSetting> given) {
  Problems problems;
  validate_options(testkit::make_settings(kSettings, std::move(given)), problems);
  return problems.texts;
}

}  // namespace

TEST_CASE("without settings the broker has its documented defaults") {
  const Options options = Options::from(testkit::make_settings(kSettings, {}));
  CHECK(options.queue_messages == 10'000);
  CHECK(options.max_message_bytes == 16U << 20U);
  CHECK(options.tap.empty());
  CHECK(options.tap_topics.empty());
  CHECK(options.drop_percent == 0);
  CHECK(options.drop_topics.empty());
  CHECK(problems_of({}).empty());
}

TEST_CASE("settings that make no sense together are named") {
  CHECK(problems_of({{"tap_topics", values::TextList{"a"}}}) ==
        std::vector<std::string>{"tap_topics has no effect without tap, the file to write to"});
  CHECK(problems_of({{"drop_percent", "5"}}) ==
        std::vector<std::string>{"drop_percent needs drop_topics: say which topics lose messages"});
  CHECK(problems_of({{"drop_percent", "5"}, {"drop_topics", values::TextList{"a"}}}).empty());
}

TEST_CASE("values outside their ranges are refused") {
  CHECK_THROWS_AS(testkit::make_settings(kSettings, {{"queue_messages", "0"}}),
                  std::invalid_argument);
  CHECK_THROWS_AS(testkit::make_settings(kSettings, {{"max_message_bytes", "1"}}),
                  std::invalid_argument);
  CHECK_THROWS_AS(testkit::make_settings(kSettings, {{"drop_percent", "101"}}),
                  std::invalid_argument);
}

}  // namespace vouch::broker_local
