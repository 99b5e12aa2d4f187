// Log lines as they end up in a file: one line each, whatever they hold.
#include "observe/logging.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <regex>
#include <thread>
#include <vector>

#include "observe/host_context.h"

namespace vouch::observe {
namespace {

namespace fs = std::filesystem;

class LogFile {
 public:
  LogFile() {
    std::string name = (fs::temp_directory_path() / "vouch-log-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    directory_ = name;
  }
  ~LogFile() { fs::remove_all(directory_); }
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  [[nodiscard]] std::string path() const { return (directory_ / "vouch.log").string(); }
  [[nodiscard]] std::string path(const std::string& name) const {
    return (directory_ / name).string();
  }

  [[nodiscard]] static std::vector<std::string> lines(const std::string& path) {
    std::vector<std::string> out;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) out.push_back(line);
    return out;
  }
  [[nodiscard]] std::vector<std::string> lines() const { return lines(path()); }

 private:
  fs::path directory_;
};

std::unique_ptr<Logging> make(const LogFile& file, const std::string& format = "text",
                              const std::string& level = "info") {
  auto logging = Logging::make({level, format, file.path()});
  REQUIRE(logging.ok());
  return *std::move(logging);
}

TEST_CASE("a text line has UTC time, level, logger, message and fields") {
  const LogFile file;
  const auto logging = make(file);
  logging->named("append").info("stored", {{"stream", "order-1"}, {"reason", "all is \"well\""}});
  logging->named("saga").warning("late", {{"empty", ""}});
  logging->flush();
  const auto lines = file.lines();
  REQUIRE(lines.size() == 2);
  const std::regex time(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z .*)");
  CHECK(std::regex_match(lines[0], time));
  CHECK(lines[0].substr(25) == R"(info    append: stored stream=order-1 reason="all is \"well\"")");
  CHECK(lines[1].substr(25) == "warning saga: late empty=\"\"");
}

TEST_CASE("a JSON line is one object with escaped texts") {
  const LogFile file;
  const auto logging = make(file, "json");
  logging->named("http").error(
      "a \"quote\"\n\\ and \x01",
      {{"stream", "order-1"}, {"level", "mine"}, {"bytes", "\xff\xc3\xa4"}});
  logging->flush();
  const auto lines = file.lines();
  REQUIRE(lines.size() == 1);
  const std::regex start(R"re(\{"ts":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",.*)re");
  CHECK(std::regex_match(lines[0], start));
  CHECK(lines[0].substr(33) == R"("level":"error","logger":"http",)"
                               R"("msg":"a \"quote\"\n\\ and \u0001",)"
                               R"("stream":"order-1","field.level":"mine",)"
                               "\"bytes\":\"\xef\xbf\xbd\xc3\xa4\"}");
}

TEST_CASE("a message can't start a line of its own") {
  const LogFile file;
  const auto logging = make(file);
  logging->named("http").info("one\n2026-01-01 error forged\r", {{"k\n", "v\nw"}});
  logging->flush();
  const auto lines = file.lines();
  REQUIRE(lines.size() == 1);
  CHECK_THAT(lines[0], Catch::EndsWith("http: one\\n2026-01-01 error forged\\r k\\n=\"v\\nw\""));
}

TEST_CASE("lines below the level are not logged") {
  const LogFile file;
  const auto logging = make(file, "text", "warning");
  Logger& logger = logging->named("x");
  CHECK_FALSE(logger.enabled(LogLevel::info));
  CHECK(logger.enabled(LogLevel::warning));
  logger.info("quiet");
  logger.debug("quiet");
  logger.error("loud");
  logging->flush();
  REQUIRE(file.lines().size() == 1);
  CHECK_THAT(file.lines()[0], Catch::EndsWith("error   x: loud"));
}

TEST_CASE("another level holds for loggers that are there and for those to come") {
  const LogFile file;
  const auto logging = make(file, "text", "warning");
  Logger& logger = logging->named("x");
  CHECK(logging->set_level("debug").ok());
  CHECK(logger.enabled(LogLevel::debug));
  CHECK(logging->named("y").enabled(LogLevel::debug));
  CHECK(logging->set_level("loud").code() == StatusCode::invalid_argument);
  CHECK(logger.enabled(LogLevel::debug));
  CHECK(logging->set_level("error").ok());
  CHECK_FALSE(logger.enabled(LogLevel::warning));
  CHECK_FALSE(logging->named("z").enabled(LogLevel::warning));
}

TEST_CASE("the same name gives the same logger") {
  const LogFile file;
  const auto logging = make(file);
  CHECK(&logging->named("a") == &logging->named("a"));
  CHECK(&logging->named("a") != &logging->named("b"));
}

TEST_CASE("after reopening, lines go to a new file under the old name") {
  const LogFile file;
  const auto logging = make(file);
  logging->named("x").info("before");
  logging->flush();
  fs::rename(file.path(), file.path("vouch.log.1"));
  CHECK(logging->reopen().ok());
  logging->named("x").info("after");
  logging->flush();
  REQUIRE(LogFile::lines(file.path("vouch.log.1")).size() == 1);
  REQUIRE(file.lines().size() == 1);
  CHECK_THAT(file.lines()[0], Catch::Contains("x: after"));
}

TEST_CASE("when reopening fails, lines still go to the old file") {
  const LogFile file;
  const auto logging = make(file);
  fs::rename(file.path(), file.path("vouch.log.1"));
  fs::create_directory(file.path());
  const Status status = logging->reopen();
  CHECK(status.code() == StatusCode::unavailable);
  CHECK_THAT(status.message(), Catch::Contains(file.path()));
  logging->named("x").info("still here");
  logging->flush();
  const auto lines = LogFile::lines(file.path("vouch.log.1"));
  REQUIRE(lines.size() == 1);
  CHECK_THAT(lines[0], Catch::Contains("still here"));
}

TEST_CASE("destruction writes what was logged before") {
  const LogFile file;
  {
    const auto logging = make(file);
    for (int i = 0; i < 1000; ++i) logging->named("x").info("line");
  }
  CHECK(file.lines().size() == 1000);
}

TEST_CASE("lines of many threads stay whole while the file is reopened") {
  const LogFile file;
  {
    const auto logging = make(file);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&logging, t] {
        Logger& logger = logging->named("thread-" + std::to_string(t));
        for (int i = 0; i < 500; ++i) logger.info("a line of some length", {{"key", "value"}});
      });
    }
    for (int i = 0; i < 20; ++i) CHECK(logging->reopen().ok());
    for (std::thread& thread : threads) thread.join();
  }
  const auto lines = file.lines();
  CHECK(lines.size() == 2000);
  for (const std::string& line : lines) {
    REQUIRE_THAT(line, Catch::EndsWith(": a line of some length key=value"));
  }
}

TEST_CASE("options that make no sense are refused in words") {
  const auto code = [](const LogOptions& options) { return Logging::make(options).status(); };
  CHECK(code({"loud", "text", ""}).code() == StatusCode::invalid_argument);
  CHECK(code({"info", "xml", ""}).message() ==
        "the log format must be text or json, but is \"xml\"");
  CHECK(code({"info", "text", "/proc/nonexistent/vouch.log"}).code() == StatusCode::unavailable);
}

TEST_CASE("the system's clocks tell the time") {
  const Clock& clock = system_clock();
  constexpr std::int64_t kYear2024 = 1'704'067'200'000'000;
  CHECK(clock.now().micros > kYear2024);
  const auto before = clock.steady();
  CHECK(clock.steady() >= before);
}

TEST_CASE("a host context hands out what it was made of") {
  const LogFile file;
  const auto logging = make(file);
  class NoMetrics final : public Metrics {
   public:
    Counter& counter(std::string_view, std::string_view, std::span<const Label>) override {
      throw std::logic_error("not used");
    }
    Gauge& gauge(std::string_view, std::string_view, std::span<const Label>) override {
      throw std::logic_error("not used");
    }
    Histogram& histogram(std::string_view, std::string_view, std::span<const Label>,
                         std::span<const double>) override {
      throw std::logic_error("not used");
    }
  };
  NoMetrics metrics;
  std::atomic<bool> stopping{false};
  HostContext context(logging->named("x"), system_clock(), metrics, stopping);
  CHECK(&context.logger() == &logging->named("x"));
  CHECK_FALSE(context.stopping());
  stopping = true;
  CHECK(context.stopping());
}

}  // namespace
}  // namespace vouch::observe
