// Tests of what the conformance suite can't know of this plugin: how a message becomes an entry and
// comes back, what errors mean, where a subscription goes on, which settings make no sense. Ends
// with 1 and a line for each expectation that does not hold. Needs no Redis.
#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "address.h"
#include "connection.h"
#include "durability.h"
#include "entry.h"
#include "follower.h"
#include "options.h"
#include "outbox.h"
#include "refusal.h"
#include "topics.h"
#include "vouch/testkit/test_services.h"

namespace {

using namespace broker_redis;

int failures = 0;

void expect(bool fulfilled, const std::string& what) {
  if (fulfilled) return;
  std::printf("failed: %s\n", what.c_str());
  ++failures;
}

/// Fields as Redis sends them back.
Reply reply_of(const std::vector<std::string>& texts) {
  std::string bytes = "*" + std::to_string(texts.size()) + "\r\n";
  for (const std::string& text : texts) {
    bytes += "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
  }
  redisReader* const reader = redisReaderCreate();
  void* found = nullptr;
  redisReaderFeed(reader, bytes.data(), bytes.size());
  redisReaderGetReply(reader, &found);
  redisReaderFree(reader);
  return Reply(static_cast<redisReply*>(found));
}

void a_message_comes_back_as_it_was() {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  // Names that the entry uses itself, and one that is there twice.
  const std::array<vouch::Header, 4> headers = {
      {{"data", "not the payload"}, {"key", ""}, {"", bytes}, {"key", "again"}}};
  vouch::Message message;
  message.key = "account-42";
  message.headers = headers;
  message.payload = bytes;
  const Reply reply = reply_of(fields_of(message));
  const auto entry = entry_of(*reply);
  expect(entry && entry->key == message.key && entry->payload == message.payload, "key, payload");
  expect(entry && entry->headers.size() == headers.size(), "all headers come back");
  for (std::size_t i = 0; entry && i < entry->headers.size(); ++i) {
    expect(entry->headers[i].name == headers[i].name, "a header's name");
    expect(entry->headers[i].value == headers[i].value, "a header's value");
  }
  expect(bytes_of(message) == 10 + 256 + 4 + 15 + 3 + 256 + 3 + 5, "every byte counts");

  for (const std::vector<std::string>& others : {std::vector<std::string>{},
                                                 {"key", "k"},
                                                 {"key", "k", "data"},
                                                 {"data", "d", "key", "k"},
                                                 {"sensor", "1", "data", "d"}}) {
    expect(!entry_of(*reply_of(others)), "an entry of somebody else is no message");
  }
}

void ids_are_ordered() {
  const auto id = EntryId::parse("1526919030474-55");
  expect(id && id->text() == "1526919030474-55", "an id comes back");
  expect(*EntryId::parse("9-100") < *EntryId::parse("10-2"), "by time, as numbers");
  expect(*EntryId::parse("10-9") < *EntryId::parse("10-10"), "then by number");
  for (const char* text : {"", "1", "1-", "-1", "1-2-3", "1-x", "18446744073709551616-0"}) {
    expect(!EntryId::parse(text), std::string("no id: ") + text);
  }
}

void a_subscription_knows_what_it_missed() {
  const EntryId two{2, 0};
  const EntryId three{3, 0};
  const EntryId five{5, 0};
  const auto at = [](const Place& place, EntryId position, bool gap) {
    return place.position == position && place.gap == gap;
  };
  expect(at(place_after({}, {}, {}), {}, false), "a new one in an empty stream has missed nothing");
  expect(at(place_after({}, two, five), five, false), "a new one begins behind what is there");
  expect(at(place_after(three, two, five), three, false), "one goes on where it was");
  expect(at(place_after(three, three, three), three, false), "nothing new is no gap");
  expect(at(place_after(two, three, five), two, true), "what was trimmed may have been missed");
  expect(at(place_after(EntryId{}, two, five), {}, true), "also before its first message");
  expect(at(place_after(EntryId{}, {}, {}), {}, false), "but not while none came");
  expect(at(place_after(five, two, three), {}, true), "a stream that is older was begun anew");
  expect(at(place_after(five, {}, {}), {}, true), "so was one that is empty");
}

void addresses_are_read_as_people_write_them() {
  const auto text = [](const char* written) {
    const auto address = parse_address(written);
    return address ? address->text() : "none";
  };
  expect(text("redis.internal:6380") == "redis.internal:6380", "host and port");
  expect(text("redis.internal") == "redis.internal:6379", "the port may be left out");
  expect(text("[::1]:7000") == "[::1]:7000" && text("[::1]") == "[::1]:6379", "IPv6");
  for (const char* wrong : {"", ":6379", "a:", "a:0", "a:65536", "a:x", "::1", "a b", "redis://a:1",
                            "user@a", "[::1", "[::1]7000", "a:123456"}) {
    expect(text(wrong) == "none", std::string("no address: ") + wrong);
  }
}

void errors_have_consequences() {
  struct Row {
    const char* error;
    Consequence consequence;
    vouch::StatusCode code;
  };
  using enum vouch::StatusCode;
  constexpr Row kRows[] = {
      {"NOPERM this user has no permissions to run the 'xadd' command", Consequence::rejected,
       permission_denied},
      {"WRONGTYPE Operation against a key holding the wrong kind of value", Consequence::rejected,
       failed_precondition},
      {"ERR Protocol error: invalid bulk length", Consequence::rejected, too_large},
      {"OOM command not allowed when used memory > 'maxmemory'.", Consequence::passing,
       unavailable},
      {"EXECABORT Transaction discarded because of: OOM command not allowed", Consequence::passing,
       unavailable},
      {"EXECABORT Transaction discarded because of previous errors.", Consequence::passing,
       unavailable},
      {"MISCONF Redis is configured to save RDB snapshots", Consequence::passing, unavailable},
      {"NOREPLICAS Not enough good replicas to write.", Consequence::passing, unavailable},
      {"ERR something new", Consequence::passing, unavailable},
      {"NOAUTH Authentication required.", Consequence::reconnect, unauthenticated},
      {"WRONGPASS invalid username-password pair", Consequence::reconnect, unauthenticated},
      {"READONLY You can't write against a read only replica.", Consequence::reconnect,
       unavailable},
      {"EXECABORT Transaction discarded because of: READONLY You can't write",
       Consequence::reconnect, unavailable},
      {"LOADING Redis is loading the dataset in memory", Consequence::reconnect, unavailable},
      {"MOVED 3999 127.0.0.1:6381", Consequence::reconnect, failed_precondition},
      {"OOMPH is another word", Consequence::passing, unavailable},
  };
  for (const Row& row : kRows) {
    const Refusal refusal = refusal_of(row.error, "add to s");
    expect(refusal.consequence == row.consequence && refusal.status.code() == row.code, row.error);
    expect(refusal.status.message().starts_with("can't add to s: "), "what was attempted");
  }
}

void durability_is_what_the_server_says() {
  Durability found;
  found.why_unknown = "NOPERM";
  expect(check(found, Demand::unchecked).ok(), "unchecked asks for nothing");
  expect(check(found, Demand::everysec).message().find("+config|get") != std::string::npos,
         "a server that does not tell is refused");
  found = {true, "", true, "everysec", false};
  expect(check(found, Demand::everysec).ok() && !check(found, Demand::always).ok(), "everysec");
  found.fsync = "always";
  expect(check(found, Demand::everysec).ok() && check(found, Demand::always).ok(), "always");
  found.evicts = true;
  expect(check(found, Demand::always).message().find("noeviction") != std::string::npos,
         "a server that evicts streams is refused");
  found = {true, "", false, "always", false};
  expect(!check(found, Demand::everysec).ok(), "appendfsync means nothing without appendonly");
}

struct Problems final : vouch::SettingProblems {
  void problem(std::string_view key, std::string_view /*message*/) override {
    keys += std::string(key) + " ";
  }
  std::string keys;
};

/// Keys that `validate` complains of.
std::string complaints(std::vector<vouch::values::GivenSetting> given) {
  const auto settings = vouch::testkit::make_settings(kSettings, std::move(given));
  Problems problems;
  Options::validate(settings, problems);
  return problems.keys;
}

void settings_that_make_no_sense_are_refused() {
  using vouch::values::TextList;
  using vouch::values::TextMap;
  const vouch::values::GivenSetting one{"addresses", TextList{"a:1"}};
  expect(complaints({one}).empty(), "an address is enough");
  expect(complaints({{"addresses", TextList{}}}) == "addresses ", "none is not");
  expect(complaints({{"addresses", TextList{"a:1", "b:x"}}}) == "addresses ", "nor is nonsense");
  expect(complaints({one, {"user", "u"}}) == "user ", "a user has a password");
  expect(complaints({one, {"tls_ca", "/a"}}) == "tls_ca ", "a certificate without TLS");
  expect(complaints({one, {"tls", "required"}, {"tls_key", "/k"}}) == "tls_key ", "a lonely key");
  expect(complaints({one, {"connect_to", TextMap{{"a:1", "?:?"}}}}) == "connect_to ", "redirects");

  const auto settings = vouch::testkit::make_settings(
      kSettings,
      {{"addresses", TextList{"a", "[::1]:2"}}, {"password", "s3cret"}, {"max_length", "5"}});
  const Options options = Options::from(settings);
  expect(options.addresses.size() == 2 && options.addresses[0].text() == "a:6379", "addresses");
  expect(options.password == "s3cret" && options.max_length == 5, "values arrive");
  for (const auto& shown : settings.shown()) {
    expect(shown.value.find("s3cret") == std::string::npos, "a password is never shown");
  }
  expect(Topics(options).key_of("events.a:1", 0) == "vouch:events.a:1:0", "a stream's key");
}

struct Sink final : vouch::PublishSink {
  void published(std::size_t index, vouch::PublishOutcome outcome, const vouch::Status&) override {
    heard += std::to_string(index) + (outcome == vouch::PublishOutcome::acked ? "+ " : "- ");
  }
  std::string heard;
};

void the_outbox_keeps_order_and_bounds() {
  Sink sink;
  Outbox outbox(3, 100);
  std::vector<vouch::Message> messages(3);
  for (auto& message : messages) message.key = "k";
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::hours(1);
  const auto call = std::make_shared<Call>(messages, sink, deadline);
  expect(outbox.reserve(1, 1).code() == vouch::StatusCode::unavailable,
         "closed until it is started");
  outbox.start();
  expect(outbox.reserve(4, 1).code() == vouch::StatusCode::overloaded, "messages are bounded");
  expect(outbox.reserve(3, 1000).ok(), "into an empty one goes what is large");
  expect(outbox.reserve(0, 1).code() == vouch::StatusCode::overloaded, "bytes are bounded");
  std::vector<Outgoing> three(3);
  for (std::size_t i = 0; i < 3; ++i) {
    three[i].call = call;
    three[i].index = i;
    three[i].bytes = 300;
  }
  outbox.put(call, std::move(three));
  const auto wait = std::chrono::milliseconds(1);
  auto taken = outbox.take(10, 600, wait);
  expect(taken.size() == 2 && taken[0].index == 0, "as many bytes as were asked for");
  outbox.put_back(std::move(taken));
  taken = outbox.take(1, 1, wait);
  expect(taken.size() == 1 && taken[0].index == 0, "what went back comes first, however large");
  taken[0].decide(vouch::PublishOutcome::acked, {});
  outbox.done(taken);
  outbox.stop();
  expect(sink.heard == "0+ 1- 2- ", "each has one outcome: " + sink.heard);
  expect(outbox.take(1, 1, wait).empty(), "nothing is left");
}

}  // namespace

int main() {
  a_message_comes_back_as_it_was();
  ids_are_ordered();
  a_subscription_knows_what_it_missed();
  addresses_are_read_as_people_write_them();
  errors_have_consequences();
  durability_is_what_the_server_says();
  settings_that_make_no_sense_are_refused();
  the_outbox_keeps_order_and_bounds();
  std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
