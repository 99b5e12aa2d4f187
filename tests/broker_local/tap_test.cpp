// The tap: what is in its file, and when.
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <catch2/catch.hpp>

#include "fixture.h"
#include "json_line.h"

namespace vouch::broker_local {

TEST_CASE("every message is in the tap as one line of JSON before it is acknowledged") {
  const Directory directory;
  const std::string tap = directory.file("tap.jsonl");
  class Checks final : public PublishSink {
   public:
    explicit Checks(const std::string& path) : path_(path) {}
    void published(std::size_t index, PublishOutcome outcome, const Status&) override {
      acked_in_file =
          acked_in_file && outcome == PublishOutcome::acked && lines_of(path_).size() > index;
    }
    bool acked_in_file = true;

   private:
    const std::string& path_;
  } checks(tap);
  Local local(Given{{"tap", tap}});
  const TopicSpec topics[] = {{"b", 3}};
  REQUIRE(local.broker.ensure(topics, 0ms).ok());
  const Header headers[] = {{"content-type", "application/json"}, {"n", "1"}};
  const Message messages[] = {{"a", std::nullopt, "k-1", headers, R"({"x":"é\n"})"},
                              {"b", Partition{2}, "k-2", {}, std::string_view("\xff\x00\x01", 3)}};
  REQUIRE(local.broker.publish(messages, 1s, checks).ok());

  CHECK(checks.acked_in_file);
  CHECK(
      lines_of(tap) ==
      std::vector<std::string>{
          R"({"topic":"a","partition":0,"key":"k-1","headers":{"content-type":"application/json",)"
          R"("n":"1"},"payload":"{\"x\":\"é\\n\"}"})",
          R"({"topic":"b","partition":2,"key":"k-2","headers":{},"payload_base64":"/wAB"})"});
}

TEST_CASE("tap_topics limits the tap to topics with these beginnings") {
  const Directory directory;
  const std::string tap = directory.file("tap.jsonl");
  Local local(Given{{"tap", tap}, {"tap_topics", values::TextList{"events.", "audit"}}});
  local.publish({message("events.order", "k", "1"), message("vouch.validation", "k", "2"),
                 message("audit", "k", "3")});
  const auto lines = lines_of(tap);
  REQUIRE(lines.size() == 2);
  CHECK_THAT(lines[0], Catch::Contains("events.order"));
  CHECK_THAT(lines[1], Catch::Contains("audit"));
}

TEST_CASE("messages that a drill throws away do not reach the tap") {
  const Directory directory;
  const std::string tap = directory.file("tap.jsonl");
  Local local(
      Given{{"tap", tap}, {"drop_percent", "100"}, {"drop_topics", values::TextList{"lost"}}});
  local.publish({message("lost", "k", "1"), message("kept", "k", "2")});
  REQUIRE(lines_of(tap).size() == 1);
}

TEST_CASE("a message that can't be written to the tap is unknown, and nobody gets it") {
  Local local(Given{{"tap", "/dev/full"}, {"tap_topics", values::TextList{"tapped"}}});
  Received tapped;
  Received other;
  const auto one = local.subscribe("tapped", 0, tapped);
  const auto two = local.subscribe("other", 0, other);
  const Outcomes outcomes = local.publish(
      {message("other", "k", "1"), message("tapped", "k", "2"), message("other", "k", "3")});
  CHECK(outcomes.of(0) == PublishOutcome::acked);
  CHECK(outcomes.of(1) == PublishOutcome::unknown);
  CHECK(outcomes.why(1).to_string() ==
        "unavailable: the tap /dev/full can't be written: No space left on device");
  CHECK(outcomes.of(2) == PublishOutcome::unknown);
  CHECK(other.wait(1) == std::vector<std::string>{"other/0 k 1"});
  CHECK(tapped.entries().empty());
}

TEST_CASE("when only a part of a batch fits into the tap, exactly that part is acknowledged") {
  const Directory directory;
  const std::string tap = directory.file("tap.jsonl");
  std::string line;
  append_json_line(line, message("t", "k", "1"), Partition{0});
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    // The limit on the file's size makes the write short, in the middle of the second line.
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{line.size() + 10, line.size() + 10};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(2);
    Local local(Given{{"tap", tap}});
    const Outcomes outcomes =
        local.publish({message("t", "k", "1"), message("t", "j", "2"), message("t", "k", "3")});
    const bool right = outcomes.of(0) == PublishOutcome::acked &&
                       outcomes.of(1) == PublishOutcome::unknown &&
                       outcomes.of(2) == PublishOutcome::unknown;
    ::_exit(right ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);

  Local next(Given{{"tap", tap}});
  next.publish({message("t", "k", "4")});
  const auto lines = lines_of(tap);
  REQUIRE(lines.size() == 3);
  CHECK(lines[0] + "\n" == line);
  CHECK(lines[1].size() == 10);  // torn, never acknowledged, on a line of its own
  CHECK_THAT(lines[2], Catch::EndsWith(R"("payload":"4"})"));
}

TEST_CASE("lines in the tap survive a kill of the process") {
  const Directory directory;
  const std::string tap = directory.file("tap.jsonl");
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    Local local(Given{{"tap", tap}});
    for (int i = 0; i < 100; ++i) local.publish({message("t", "k", std::to_string(i))});
    ::raise(SIGKILL);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  CHECK(lines_of(tap).size() == 100);
}

TEST_CASE("a tap that can't be opened stops the start, in words") {
  Local local(Given{{"tap", "/nonexistent/tap.jsonl"}}, false);
  CHECK(local.broker.open().to_string() ==
        "failed_precondition: the tap /nonexistent/tap.jsonl can't be opened for writing: No such "
        "file or directory; set 'tap' to a file that this user may write");
}

TEST_CASE("UTF-8 is told from other bytes as RFC 3629 says") {
  CHECK(utf8_sequence("a") == 1);
  CHECK(utf8_sequence("\xC3\xA9") == 2);
  CHECK(utf8_sequence("\xE2\x82\xAC") == 3);
  CHECK(utf8_sequence("\xF0\x9F\x98\x80") == 4);
  CHECK(utf8_sequence("\xF4\x8F\xBF\xBF") == 4);
  for (const char* bad :
       {"", "\x80", "\xC0\x80", "\xC1\xBF", "\xC3", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xE2\x82",
        "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"}) {
    INFO("first byte " << static_cast<int>(static_cast<unsigned char>(bad[0])));
    CHECK(utf8_sequence(bad) == 0);
  }
}

TEST_CASE("a tap line escapes what JSON does not allow in a string") {
  std::string line;
  append_json_line(line, message("t", std::string_view("\"\\\n\r\t\x01\x1f\xff", 8), ""),
                   Partition{7});
  CHECK(line ==
        "{\"topic\":\"t\",\"partition\":7,\"key\":\"\\\"\\\\\\n\\r\\t\\u0001\\u001f\\ufffd\","
        "\"headers\":{},\"payload\":\"\"}\n");
}

TEST_CASE("base64 pads as RFC 4648 says") {
  const auto encoded = [](std::string_view bytes) {
    std::string line;
    append_json_line(line, message("t", "k", bytes), Partition{0});
    const std::string_view mark = "\"payload_base64\":\"";
    const std::size_t at = line.find(mark) + mark.size();
    return line.substr(at, line.find('"', at) - at);
  };
  CHECK(encoded("\xff") == "/w==");
  CHECK(encoded("\xff\xfe") == "//4=");
  CHECK(encoded("\xff\xfe\xfd") == "//79");
  CHECK(encoded("\xff\xfe\xfd\xfc") == "//79/A==");
}

}  // namespace vouch::broker_local
