// Validation messages and topic templates.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "format/topic_template.h"
#include "format/validation_message.h"

namespace vouch::format {
namespace {

const std::string kMessage =
    R"({"v":1,"store":"shop","tx":"0-100000001-YWI","partition":3,"delivery":77,"events":12})";

std::string replaced(const std::string& what, const std::string& with) {
  std::string text = kMessage;
  const std::size_t at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), with);
}

TEST_CASE("a validation message goes to text and back") {
  ValidationMessage message;
  message.store = "shop";
  message.token = Token{LaneNumber{0}, BatchNumber{0x100000001}, "ab"};
  message.delivery = DeliveryId{Partition{3}, LedgerNumber{77}};
  message.events = 12;
  CHECK(write_validation_message(message) == kMessage);
  const auto read = read_validation_message(kMessage);
  REQUIRE(read.ok());
  CHECK(read->store == "shop");
  CHECK(read->token == message.token);
  CHECK(read->delivery == message.delivery);
  CHECK(read->events == 12);
}

TEST_CASE("the largest numbers survive a validation message") {
  ValidationMessage message;
  message.store = "a \"quoted\" shop é";
  message.token =
      Token{LaneNumber{4294967295}, BatchNumber{18446744073709551615U}, std::string(64, '\0')};
  message.delivery = DeliveryId{Partition{4294967295}, LedgerNumber{18446744073709551615U}};
  message.events = 4294967295;
  const auto read = read_validation_message(write_validation_message(message));
  REQUIRE(read.ok());
  CHECK(read->store == message.store);
  CHECK(read->token == message.token);
  CHECK(read->delivery == message.delivery);
  CHECK(read->events == message.events);
}

TEST_CASE("members of later hosts are passed over") {
  CHECK(read_validation_message(replaced("{", R"({ "later":[1,{"v":9}], )")).ok());
}

TEST_CASE("what is not a validation message is refused") {
  const std::vector<std::string> payloads = {"",
                                             "{}",
                                             "[]",
                                             "null",
                                             "hello",
                                             kMessage + "x",
                                             kMessage.substr(0, kMessage.size() - 1),
                                             replaced("\"v\":1", "\"v\":2"),
                                             replaced("\"v\":1", "\"v\":0"),
                                             replaced("\"v\":1", "\"v\":\"1\""),
                                             replaced("\"v\":1", "\"v\":1.0"),
                                             replaced("\"v\":1", "\"w\":1"),
                                             replaced("\"shop\"", "\"\""),
                                             replaced("\"shop\"", "7"),
                                             replaced("0-100000001-YWI", "0-100000001"),
                                             replaced("0-100000001-YWI", ""),
                                             replaced("\"0-100000001-YWI\"", "1"),
                                             replaced(":3", ":-3"),
                                             replaced(":3", ":4294967296"),
                                             replaced(":3", ":3.5"),
                                             replaced(":3", ":\"3\""),
                                             replaced(":77", ":0"),
                                             replaced(":77", ":18446744073709551616"),
                                             replaced(":77", ":null"),
                                             replaced(":12", ":1e1"),
                                             replaced(":12", ":4294967296"),
                                             replaced("\"events\":12", "\"x\":1"),
                                             replaced("\"delivery\"", "\"partition\"")};
  for (const std::string& payload : payloads) {
    INFO(payload);
    const auto read = read_validation_message(payload);
    CHECK_FALSE(read.ok());
    CHECK(read.status().code() == StatusCode::invalid_argument);
    CHECK(read.status().message().find("not a validation message: ") == 0);
  }
}

std::string expanded(std::string_view text, std::string_view stream) {
  const auto topic = TopicTemplate::parse(text);
  REQUIRE(topic.ok());
  CHECK(topic->text() == text);
  EventView event;
  event.stream = stream;
  event.type = "deposited";
  return topic->expand(event);
}

TEST_CASE("topic templates are filled in from the event") {
  CHECK(expanded("events", "account-42") == "events");
  CHECK(expanded("events.{category}", "account-42") == "events.account");
  CHECK(expanded("vouch/{category}/{stream}", "account-42") == "vouch/account/account-42");
  CHECK(expanded("{type}", "account-42") == "deposited");
  CHECK(expanded("{stream}{stream}.{type}!", "a-b-c") == "a-b-ca-b-c.deposited!");
  CHECK(expanded("{category}", "account") == "account");
}

TEST_CASE("broken topic templates are refused with the reason") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "a topic can't be empty"},
      {"a.{", "the topic \"a.{\" has a '{' without a '}'"},
      {"{category", "the topic \"{category\" has a '{' without a '}'"},
      {"category}", "the topic \"category}\" has a '}' without a '{'"},
      {"{stream}}", "the topic \"{stream}}\" has a '}' without a '{'"}};
  for (const auto& [text, message] : cases) {
    CHECK(TopicTemplate::parse(text).status().message() == message);
  }
  for (const char* text : {"{}", "{Category}", "{ stream }", "{{stream}}", "{id}"}) {
    INFO(text);
    CHECK(TopicTemplate::parse(text).status().code() == StatusCode::invalid_argument);
  }
}

}  // namespace
}  // namespace vouch::format
