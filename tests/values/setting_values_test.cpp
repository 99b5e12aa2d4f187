// Settings checked against a table: one problem for each thing that is wrong, in the unit that
// people write, and never a secret.
#include "vouch/values/setting_values.h"

#include <catch2/catch.hpp>
#include <limits>
#include <stdexcept>

namespace vouch::values {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

constexpr SettingSpec kTable[] = {
    {"uri", SettingType::text, nullptr, 1, 0, nullptr, kSettingRequired, "Where it is.", "db:1"},
    {"password", SettingType::text, nullptr, 1, 0, nullptr, kSettingSecret, "Password.", nullptr},
    {"tls", SettingType::boolean, "false", 1, 0, nullptr, kSettingNone, "Encrypt.", nullptr},
    {"pool", SettingType::integer, "4", 1, 64, nullptr, kSettingNone, "Sessions.", nullptr},
    {"pin", SettingType::integer, nullptr, 1, 9999, nullptr, kSettingSecret, "PIN.", nullptr},
    {"ratio", SettingType::number, "0.5", 0, 1, nullptr, kSettingNone, "Ratio.", nullptr},
    {"wait", SettingType::duration, "5s", 10, 60'000, nullptr, kSettingNone, "Wait.", nullptr},
    {"buffer", SettingType::size, "1MiB", 1024, kMost, nullptr, kSettingNone, "Buffer.", nullptr},
    {"mode", SettingType::choice, "full", 1, 0, "full|normal", kSettingNone, "Mode.", nullptr},
    {"hosts", SettingType::list, "a, b", 1, 0, nullptr, kSettingNone, "Hosts.", nullptr},
    {"extra", SettingType::map, "k=v", 1, 0, nullptr, kSettingNone, "Extra.", nullptr},
    {"file", SettingType::path, nullptr, 1, 0, nullptr, kSettingNone, "File.", nullptr},
};

struct Made {
  SettingValues values;
  std::vector<SettingProblem> problems;

  [[nodiscard]] std::vector<std::string> lines() const {
    std::vector<std::string> out;
    for (const SettingProblem& problem : problems) {
      out.push_back(problem.key + ": " + problem.message);
    }
    return out;
  }
};

Made make(std::vector<GivenSetting> given, const std::string& base_directory = {}) {
  Made made;
  made.values = SettingValues::make(kTable, std::move(given), made.problems, base_directory);
  return made;
}

/// The one complaint about one value, besides which everything is fine.
std::string complaint(const std::string& key, std::variant<std::string, TextList, TextMap> value) {
  std::vector<GivenSetting> given{{key, std::move(value)}};
  if (key != "uri") given.push_back({"uri", "x"});
  const Made made = make(std::move(given));
  REQUIRE(made.problems.size() == 1);
  CHECK(made.problems.front().key == key);
  CHECK(made.problems.front().given == 0U);
  return made.problems.front().message;
}

TEST_CASE("given texts become typed values") {
  const Made made = make({{"uri", "db"},
                          {"password", "hunter2"},
                          {"tls", "true"},
                          {"pool", "12"},
                          {"ratio", "0.25"},
                          {"wait", "250ms"},
                          {"buffer", "64KiB"},
                          {"mode", "normal"},
                          {"hosts", TextList{"c"}},
                          {"extra", TextMap{{"x", "y"}}},
                          {"file", "/etc/ca.pem"}});
  CHECK(made.lines().empty());
  const SettingValues& values = made.values;
  CHECK(values.text("uri") == "db");
  CHECK(values.text("password") == "hunter2");
  CHECK(values.boolean("tls"));
  CHECK(values.integer("pool") == 12);
  CHECK(values.number("ratio") == 0.25);
  CHECK(values.duration("wait") == std::chrono::milliseconds{250});
  CHECK(values.size("buffer") == 65'536U);
  CHECK(values.text("mode") == "normal");
  CHECK(values.list("hosts") == TextList{"c"});
  CHECK(values.map("extra") == TextMap{{"x", "y"}});
  CHECK(values.text("file") == "/etc/ca.pem");
}

TEST_CASE("what is not given has its default, or no value") {
  const Made made = make({{"uri", "db"}});
  CHECK(made.lines().empty());
  const SettingValues& values = made.values;
  CHECK_FALSE(values.boolean("tls"));
  CHECK(values.integer("pool") == 4);
  CHECK(values.duration("wait") == std::chrono::seconds{5});
  CHECK(values.list("hosts") == TextList{"a", "b"});
  CHECK(values.map("extra") == TextMap{{"k", "v"}});
  CHECK_FALSE(values.has("password"));
  CHECK_FALSE(values.has("file"));
  CHECK(values.has("pool"));
}

TEST_CASE("a value of the wrong form is named with the form that is wanted") {
  CHECK(complaint("tls", "yes") == "must be true or false, but is \"yes\"");
  CHECK(complaint("pool", "0x10") == "must be a whole number, but is \"0x10\"");
  CHECK(complaint("pool", "4.0") == "must be a whole number, but is \"4.0\"");
  CHECK(complaint("pool", "99999999999999999999") ==
        "must be a whole number, but is \"99999999999999999999\"");
  CHECK(complaint("ratio", "half") == "must be a number, but is \"half\"");
  CHECK(complaint("ratio", "nan") == "must be a number, but is \"nan\"");
  CHECK(complaint("wait", "5") ==
        "must be a duration such as 250ms, 5s, 2m, 1h or 7d, but is \"5\"");
  CHECK(complaint("buffer", "1 MB") ==
        "must be a size such as 512, 64KiB, 1MiB or 2GiB, but is \"1 MB\"");
  CHECK(complaint("mode", "fulll") ==
        "must be one of full, normal, but is \"fulll\"; did you mean full?");
  CHECK(complaint("hosts", "a") == "must be a list, but is \"a\"");
  CHECK(complaint("extra", TextList{"a"}) == "must be a map, not a list");
  CHECK(complaint("pool", TextList{"4"}) == "must be a whole number, not a list");
  CHECK(complaint("uri", TextMap{{"a", "b"}}) == "must be one text, not a map");
  CHECK(complaint("extra", TextMap{{"a", "b"}, {"a", "c"}}) == "holds the key \"a\" twice");
  CHECK(complaint("uri", std::string("a\0b", 3)) == "must not hold a zero byte");
}

TEST_CASE("a range is named in the unit of the setting") {
  CHECK(complaint("pool", "65") == "must be between 1 and 64, but is \"65\"");
  CHECK(complaint("pool", "-1") == "must be between 1 and 64, but is \"-1\"");
  CHECK(complaint("ratio", "1.01") == "must be between 0 and 1, but is \"1.01\"");
  CHECK(complaint("wait", "9ms") == "must be between 10ms and 1m, but is \"9ms\"");
  CHECK(complaint("wait", "9999us") == "must be between 10ms and 1m, but is \"9999us\"");
  CHECK(complaint("wait", "60000001us") == "must be between 10ms and 1m, but is \"60000001us\"");
  CHECK(complaint("buffer", "1023") == "must be at least 1KiB, but is \"1023\"");
}

TEST_CASE("the bounds of a range belong to it") {
  const auto wait = GENERATE(as<std::string>{}, "10ms", "10000us", "1m", "60s");
  CHECK(make({{"uri", "x"}, {"wait", wait}}).lines().empty());
  const auto pool = GENERATE(as<std::string>{}, "1", "64");
  CHECK(make({{"uri", "x"}, {"pool", pool}}).lines().empty());
}

TEST_CASE("all problems are reported at once, with the place of each in what was given") {
  const Made made = make({{"pol", "4"}, {"tls", "on"}, {"nothing_like_it", "1"}, {"tls", "off"}});
  CHECK(made.lines() ==
        std::vector<std::string>{
            "pol: there is no such setting; did you mean pool?",
            "nothing_like_it: there is no such setting; there are uri, password, tls, pool, pin, "
            "ratio, wait, buffer, mode, hosts, extra, file",
            "tls: is given twice", "uri: is required: Where it is (for example db:1)",
            "tls: must be true or false, but is \"off\""});
  CHECK(made.problems[0].given == 0U);
  CHECK(made.problems[2].given == 3U);
  CHECK_FALSE(made.problems[3].given.has_value());
}

TEST_CASE("a secret is in no message and is not shown") {
  CHECK(complaint("pin", "12345") == "must be between 1 and 9999");
  CHECK(complaint("pin", "abcd") == "must be a whole number");
  const Made made = make({{"uri", "x"}, {"password", "hunter2"}});
  const auto shown = made.values.shown();
  CHECK(shown[1].value == "[secret]");
  CHECK_FALSE(shown[1].is_default);
  for (const auto& line : shown) CHECK(line.value.find("hunter2") == std::string::npos);
}

TEST_CASE("effective values are shown in the order of the table") {
  const Made made = make({{"uri", "two\nlines"}, {"hosts", TextList{"a", ""}}}, "/etc");
  std::string text;
  for (const auto& line : made.values.shown()) {
    text += line.key + "=" + line.value + (line.is_default ? "*" : "") + "\n";
  }
  CHECK(text ==
        "uri=\"two\\x0alines\"\npassword=(not set)*\ntls=false*\npool=4*\npin=(not set)*\n"
        "ratio=0.5*\nwait=5s*\nbuffer=1MiB*\nmode=full*\nhosts=[a, \"\"]\nextra={k=v}*\n"
        "file=(not set)*\n");
}

TEST_CASE("a relative path counts from the base directory") {
  CHECK(make({{"uri", "x"}, {"file", "../ca.pem"}}, "/etc/vouch").values.text("file") ==
        "/etc/ca.pem");
  CHECK(make({{"uri", "x"}, {"file", "/ca.pem"}}, "/etc/vouch").values.text("file") == "/ca.pem");
  CHECK(make({{"uri", "x"}, {"file", "ca.pem"}}).values.text("file") == "ca.pem");
  CHECK(make({{"uri", "x"}, {"file", ""}}, "/etc").values.text("file").empty());
}

TEST_CASE("a default that breaks its own table is reported") {
  constexpr SettingSpec kBad[] = {
      {"pool", SettingType::integer, "100", 1, 64, nullptr, kSettingNone, "Sessions.", nullptr}};
  std::vector<SettingProblem> problems;
  SettingValues::make(kBad, {}, problems);
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].message ==
        "the table's own default is wrong: must be between 1 and 64, but is \"100\"");
}

TEST_CASE("asking for what the table does not have is a defect") {
  const Made made = make({{"uri", "x"}});
  CHECK_THROWS_AS(made.values.has("nonsense"), std::logic_error);
  CHECK_THROWS_AS(made.values.integer("uri"), std::logic_error);
  CHECK_THROWS_AS(made.values.size("pool"), std::logic_error);
  CHECK_THROWS_AS(made.values.text("password"), std::logic_error);
}

}  // namespace
}  // namespace vouch::values
