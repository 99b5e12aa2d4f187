#include "mqtt_broker.h"

#include <mqtt/client.h>

#include <catch2/catch.hpp>
#include <condition_variable>
#include <iostream>
#include <mutex>

#include "certificates.h"
#include "mosquitto_server.h"
#include "vouch/testkit/test_services.h"

namespace vouch::mqtt_broker {
namespace {

using namespace std::chrono_literals;
using tests::Certificates;
using tests::MosquittoServer;
using Given = std::vector<values::GivenSetting>;

/// Without Mosquitto these tests can't say anything.
#define NEEDS_MOSQUITTO()                                \
  if (!MosquittoServer::installed()) {                   \
    std::cout << MosquittoServer::kNotInstalled << "\n"; \
    return;                                              \
  }

class Outcomes final : public PublishSink {
 public:
  explicit Outcomes(std::size_t count) : left_(count), all_(count), why_(count) {}
  void published(std::size_t index, PublishOutcome outcome, const Status& why) override {
    const std::lock_guard lock(mutex_);
    all_.at(index) = outcome;
    why_.at(index) = why;
    --left_;
    changed_.notify_all();
  }
  const std::vector<PublishOutcome>& wait() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, 20s, [&] { return left_ == 0; });
    REQUIRE(left_ == 0);
    return all_;
  }
  const Status& why(std::size_t index) { return why_.at(index); }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t left_;
  std::vector<PublishOutcome> all_;
  std::vector<Status> why_;
};

struct Mqtt {
  explicit Mqtt(const std::string& uri, Given more = {}) {
    Given given{{"uri", uri}, {"client_id", "tested"}};
    for (auto& one : more) given.push_back(std::move(one));
    broker = std::make_unique<MqttBroker>(
        options_from(testkit::make_settings(kSettings, std::move(given))), services);
    REQUIRE(broker->open().ok());
  }
  ~Mqtt() { broker->close(); }

  Status connected(std::chrono::milliseconds wait = 10s) { return broker->ensure({}, wait); }
  PublishOutcome publish(const Message& message, std::string* why = nullptr) {
    Outcomes outcomes(1);
    REQUIRE(broker->publish({&message, 1}, 5s, outcomes).ok());
    const PublishOutcome outcome = outcomes.wait()[0];
    if (why != nullptr) *why = outcomes.why(0).message();
    return outcome;
  }

  testkit::TestServices services;
  std::unique_ptr<MqttBroker> broker;
};

Message message(std::string_view topic, std::string_view payload) {
  return {topic, std::nullopt, "k", {}, payload};
}

std::vector<std::string> problems(Given given) {
  try {
    const auto settings = testkit::make_settings(kSettings, std::move(given));
    class Problems final : public SettingProblems {
     public:
      void problem(std::string_view key, std::string_view words) override {
        all.push_back(std::string(key) + " " + std::string(words));
      }
      std::vector<std::string> all;
    } found;
    validate_options(settings, found);
    return found.all;
  } catch (const std::invalid_argument& error) {
    return {error.what()};
  }
}

TEST_CASE("settings that can't work are refused in words, and never shown") {
  CHECK(problems({{"uri", "mqtt://host"}}).empty());
  CHECK(problems({{"uri", "mqtts://[::1]:8884"}, {"tls_ca", "/ca.pem"}}).empty());
  for (const char* uri : {"host:1883", "http://host", "mqtt://", "mqtt://host:0", "mqtt://host:x",
                          "mqtt://host/topic", "mqtt://me:secret@host"}) {
    INFO(uri);
    const auto found = problems({{"uri", uri}});
    REQUIRE(found.size() == 1);
    CHECK(found[0].find("uri ") == 0);
    CHECK(found[0].find("secret") == std::string::npos);
  }
  CHECK(problems({{"uri", "mqtt://h"}, {"tls_ca", "/ca.pem"}}).size() == 1);
  CHECK(problems({{"uri", "mqtt://h"}, {"password", "x"}}).size() == 1);
  CHECK(problems({{"uri", "mqtt://h"}, {"status_topic", "a/#"}}).size() == 1);
  CHECK(problems({{"uri", "mqtts://h"}, {"tls_key", "/k"}}).size() == 1);
}

TEST_CASE("strangers see content type, user properties, and the retained flag") {
  NEEDS_MOSQUITTO();
  MosquittoServer server;
  Mqtt mqtt(server.uri(), {{"retain", "true"}});
  REQUIRE(mqtt.connected().ok());
  const Header headers[] = {{"content-type", "application/json"}, {"id", "42"}, {"type", "t"}};
  Message sent = message("events/a/a-1", "{}");
  sent.headers = headers;
  REQUIRE(mqtt.publish(sent) == PublishOutcome::acked);

  mqtt::client stranger("tcp://127.0.0.1:" + std::to_string(server.port()), "stranger",
                        mqtt::create_options(MQTTVERSION_5));
  mqtt::connect_options options;
  options.set_mqtt_version(MQTTVERSION_5);
  options.set_clean_start(true);
  stranger.connect(options);
  stranger.start_consuming();
  stranger.subscribe("events/#", 1);
  mqtt::const_message_ptr got;
  REQUIRE(stranger.try_consume_message_for(&got, 10s));
  CHECK(got->get_topic() == "events/a/a-1");
  CHECK(got->is_retained());
  const auto& properties = got->get_properties();
  CHECK(mqtt::get<std::string>(properties, mqtt::property::CONTENT_TYPE) == "application/json");
  CHECK(properties.count(mqtt::property::USER_PROPERTY) == 2);
  CHECK(mqtt::get<mqtt::string_pair>(properties, mqtt::property::USER_PROPERTY, 0) ==
        mqtt::string_pair("id", "42"));

  stranger.subscribe("vouch/status/tested", 1);
  REQUIRE(stranger.try_consume_message_for(&got, 10s));
  CHECK(got->to_string() == "online");
  mqtt.broker->close();
  REQUIRE(stranger.try_consume_message_for(&got, 10s));
  CHECK(got->to_string() == "offline");
  stranger.stop_consuming();
  stranger.disconnect();
}

TEST_CASE("a wrong password is said in words, without the password, and mended without a restart") {
  NEEDS_MOSQUITTO();
  MosquittoServer server;
  server.write_file("passwords", "");
  server.kill();
  // Nobody is let in.
  server.start("allow_anonymous false\npassword_file %DIR%/passwords\n");
  Mqtt mqtt(server.uri(), {{"user", "vouch"}, {"password", "not-to-be-seen"}});
  const Status status = mqtt.connected(2s);
  CHECK(status.code() == StatusCode::unavailable);
  INFO(status.to_string());
  const bool said = status.message().find("user name or password") != std::string::npos ||
                    status.message().find("not authorised") != std::string::npos;
  CHECK(said);
  CHECK(status.message().find("127.0.0.1:" + std::to_string(server.port())) != std::string::npos);
  CHECK(status.message().find("not-to-be-seen") == std::string::npos);
  server.kill();
  server.start("allow_anonymous true\n");
  CHECK(mqtt.connected().ok());
}

TEST_CASE("an address where nobody listens is said in words") {
  Mqtt mqtt("mqtt://127.0.0.1:1");
  const Status status = mqtt.connected(1s);
  CHECK(status.code() == StatusCode::unavailable);
  INFO(status.to_string());
  CHECK(status.message().find("127.0.0.1:1: no connection") == 0);
}

TEST_CASE("refusals for good are told from passing ones") {
  NEEDS_MOSQUITTO();
  MosquittoServer server;
  server.kill();
  server.write_file("access", "topic readwrite open/#\ntopic write vouch/status/#\n");
  server.start("allow_anonymous true\nacl_file %DIR%/access\nmax_packet_size 5000\n");
  Mqtt mqtt(server.uri());
  REQUIRE(mqtt.connected().ok());
  std::string why;
  CHECK(mqtt.publish(message("open/a", "x")) == PublishOutcome::acked);
  CHECK(mqtt.publish(message("closed/a", "x"), &why) == PublishOutcome::rejected);
  CHECK(why == "not authorised to publish to this topic");
  const std::string large(6'000, 'x');
  CHECK(mqtt.publish(message("open/a", large), &why) == PublishOutcome::rejected);
  CHECK(why.find("the broker takes 5000") != std::string::npos);
  CHECK(mqtt.publish(message("open/+", "x"), &why) == PublishOutcome::rejected);
  CHECK(mqtt.publish(message("open/a", "x")) == PublishOutcome::acked);
}

TEST_CASE("a message that the broker hangs up on is refused for good in the end") {
  NEEDS_MOSQUITTO();
  MosquittoServer server("allow_anonymous true\nmax_packet_size 5000\n");
  // 3.1.1 has no way to tell the limit.
  Mqtt mqtt(server.uri(), {{"protocol", "3.1.1"}});
  REQUIRE(mqtt.connected().ok());
  const std::string large(6'000, 'x');
  std::string why;
  CHECK(mqtt.publish(message("open/a", large), &why) == PublishOutcome::rejected);
  CHECK(why.find("3 times") != std::string::npos);
  CHECK(mqtt.publish(message("open/a", "x")) == PublishOutcome::acked);
}

TEST_CASE("a broker that stands still: unknown at the deadline, and everything works afterwards") {
  NEEDS_MOSQUITTO();
  MosquittoServer server;
  Mqtt mqtt(server.uri());
  REQUIRE(mqtt.connected().ok());
  REQUIRE(mqtt.publish(message("a", "1")) == PublishOutcome::acked);
  server.pause();
  Outcomes outcomes(2);
  const Message two[] = {message("a", "2"), message("a", "3")};
  const auto begun = std::chrono::steady_clock::now();
  REQUIRE(mqtt.broker->publish(two, 300ms, outcomes).ok());
  for (const PublishOutcome outcome : outcomes.wait()) CHECK(outcome == PublishOutcome::unknown);
  CHECK(std::chrono::steady_clock::now() - begun < 3s);
  server.resume();
  CHECK(mqtt.publish(message("a", "4")) == PublishOutcome::acked);
}

TEST_CASE(
    "TLS: the right authority is accepted, another one and another host are refused in words") {
  NEEDS_MOSQUITTO();
  const Certificates certificates;
  certificates.give_keys_to("nobody");
  const auto lines = [&](const std::string& name) {
    return "allow_anonymous true\ncertfile " + certificates.file(name + ".pem") + "\nkeyfile " +
           certificates.file(name + ".key") + "\n";
  };
  MosquittoServer server(lines("here"));
  const std::string uri = "mqtts://127.0.0.1:" + std::to_string(server.port());
  {
    Mqtt mqtt(uri, {{"tls_ca", certificates.file("ours.pem")}});
    const Status status = mqtt.connected();
    INFO(status.to_string());
    CHECK(status.ok());
    CHECK(mqtt.publish(message("a", "x")) == PublishOutcome::acked);
  }
  {
    Mqtt mqtt(uri, {{"tls_ca", certificates.file("theirs.pem")}});
    const Status status = mqtt.connected(2s);
    CHECK(status.code() == StatusCode::unavailable);
    CHECK(status.message().find("TLS") != std::string::npos);
  }
  server.kill();
  server.start(lines("elsewhere"));
  {
    Mqtt mqtt(uri, {{"tls_ca", certificates.file("ours.pem")}});
    CHECK_FALSE(mqtt.connected(2s).ok());
  }
  {
    Mqtt mqtt(uri, {{"tls_verify", "false"}});
    CHECK(mqtt.connected().ok());
  }
}

}  // namespace
}  // namespace vouch::mqtt_broker
