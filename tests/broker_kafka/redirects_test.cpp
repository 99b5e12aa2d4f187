// connect_to: what is refused, and that no connection goes anywhere else.
#include "redirects.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <netdb.h>
#include <netinet/in.h>

#include <catch2/catch.hpp>
#include <condition_variable>
#include <mutex>

#include "kafka_broker.h"
#include "tcp_proxy.h"
#include "vouch/testkit/test_services.h"

namespace vouch::kafka {
namespace {

using namespace std::chrono_literals;

TEST_CASE("Addresses of brokers are read, and what is none is told in words") {
  const auto v4 = Address::parse("Kafka-1.Example:9092");
  REQUIRE(v4.ok());
  CHECK(v4->text() == "kafka-1.example:9092");
  const auto v6 = Address::parse("[::1]:19092");
  REQUIRE(v6.ok());
  CHECK(v6->host == "::1");
  CHECK(v6->text() == "[::1]:19092");
  const std::pair<const char*, const char*> wrong[] = {
      {"kafka-1", "\"kafka-1\" has no port"},
      {"[::1]", "has no port"},
      {"kafka-1:", "no port from 1 to 65535"},
      {"kafka-1:0", "no port from 1 to 65535"},
      {"kafka-1:65536", "no port from 1 to 65535"},
      {"kafka-1:90x", "no port from 1 to 65535"},
      {":9092", "names no host"},
      {"::1:9092", "IPv6 address without brackets"},
      {"ssl://kafka-1:9092", "something before it"},
      {"kafka 1:9092", "names no host"}};
  for (const auto& [text, words] : wrong) {
    INFO(text);
    const auto address = Address::parse(text);
    REQUIRE_FALSE(address.ok());
    CHECK(address.status().message().find(words) != std::string::npos);
    CHECK(address.status().message().find("write HOST:PORT, such as kafka-1:9092") !=
          std::string::npos);
  }
}

TEST_CASE("Entries of connect_to are refused with their place") {
  const auto words = [](const Redirects::Entries& entries) {
    const auto redirects = Redirects::parse(entries);
    return redirects.ok() ? "" : redirects.status().message();
  };
  CHECK(words({{"a:1", "b:2"}, {"a:2", "b:2"}}).empty());
  CHECK(words({{"a", "b:2"}}).find("a broker's address: \"a\" has no port") == 0);
  CHECK(words({{"a:1", "b"}}).find("where to connect for a:1: \"b\" has no port") == 0);
  CHECK(words({{"a:1", "b:2"}, {"A:1", "c:3"}}) ==
        "a:1 and A:1 are the same broker; keep one of them");

  class Problems final : public SettingProblems {
   public:
    void problem(std::string_view key, std::string_view what) override {
      all.push_back(std::string(key) + ": " + std::string(what));
    }
    std::vector<std::string> all;
  };
  const auto problems = [](values::TextMap connect_to, values::TextMap properties) {
    Problems found;
    validate_options(
        testkit::make_settings(kSettings, {{"bootstrap_servers", values::TextList{"a:1"}},
                                           {"connect_to", std::move(connect_to)},
                                           {"properties", std::move(properties)}}),
        found);
    return found.all;
  };
  const auto bad = problems({{"a:1", "nowhere"}}, {});
  REQUIRE(bad.size() == 1);
  CHECK(bad[0].find("connect_to: where to connect for a:1: \"nowhere\" has no port") == 0);
  // librdkafka 2.0 does not know the property, which is another problem then.
  const auto canonical = problems(
      {{"a:1", "b:2"}}, {{"client.dns.lookup", "resolve_canonical_bootstrap_servers_only"}});
  REQUIRE_FALSE(canonical.empty());
  CHECK(canonical[0].find("connect_to: can't be used with the property client.dns.lookup") == 0);
  CHECK(problems({{"a:1", "b:2"}}, {{"client.rack", "a"}}).empty());
}

TEST_CASE("Only the broker with that name and port is led elsewhere") {
  const auto redirects =
      Redirects::parse({{"Kafka.invalid:9092", "127.0.0.1:19092"}, {"[::1]:9092", "[::1]:19093"}});
  REQUIRE(redirects.ok());
  const auto port = [&](const char* node, const char* service, int family) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_family = family;
    addrinfo* found = nullptr;
    if (redirects->resolve(node, service, &hints, &found) != 0) return 0;
    const int number =
        found->ai_family == AF_INET
            ? ntohs(reinterpret_cast<const sockaddr_in*>(found->ai_addr)->sin_port)
            : ntohs(reinterpret_cast<const sockaddr_in6*>(found->ai_addr)->sin6_port);
    CHECK(redirects->resolve(nullptr, nullptr, nullptr, &found) == 0);
    return number;
  };
  CHECK(port("kafka.invalid", "9092", AF_UNSPEC) == 19092);
  CHECK(port("KAFKA.invalid", "9092", AF_INET6) == 19092);
  CHECK(port("::1", "9092", AF_UNSPEC) == 19093);
  CHECK(port("kafka.invalid", "9093", AF_UNSPEC) == 0);
  CHECK(port("127.0.0.1", "9092", AF_UNSPEC) == 9092);
}

class Outcome final : public PublishSink {
 public:
  void published(std::size_t /*index*/, PublishOutcome outcome, const Status& /*why*/) override {
    const std::lock_guard lock(mutex_);
    outcome_ = outcome;
    changed_.notify_all();
  }
  PublishOutcome wait() {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, 30s, [&] { return outcome_.has_value(); }));
    return *outcome_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<PublishOutcome> outcome_;
};

class MessageCount final : public MessageSink {
 public:
  void message(const Message& /*message*/) override {
    const std::lock_guard lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  void gap() override {}
  int count() {
    const std::lock_guard lock(mutex_);
    return count_;
  }
  bool reaches(int count, std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, time, [&] { return count_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

/// A cluster of one, on an address that librdkafka chose.
class OneMock {
 public:
  OneMock()
      : client_(rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), nullptr, 0)),
        cluster_(rd_kafka_mock_cluster_new(client_, 1)) {
    rd_kafka_mock_topic_create(cluster_, "events", 1, 1);
  }
  OneMock(const OneMock&) = delete;
  OneMock& operator=(const OneMock&) = delete;
  ~OneMock() {
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(client_);
  }
  [[nodiscard]] std::string address() const { return rd_kafka_mock_cluster_bootstraps(cluster_); }

 private:
  rd_kafka_t* const client_;
  rd_kafka_mock_cluster_t* const cluster_;
};

/// Opened.
class Connected {
 public:
  explicit Connected(values::TextList servers, values::TextMap connect_to = {})
      : broker_(options_from(
                    testkit::make_settings(kSettings, {{"bootstrap_servers", std::move(servers)},
                                                       {"connect_to", std::move(connect_to)}})),
                services_) {
    REQUIRE(broker_.open().ok());
  }
  ~Connected() { broker_.close(); }
  Connected(const Connected&) = delete;
  Connected& operator=(const Connected&) = delete;

  /// To a partition as validation messages, or by key as outbound ones.
  PublishOutcome publish(bool validation, std::chrono::milliseconds deadline) {
    const Message message{
        "events", validation ? std::optional(Partition{0}) : std::nullopt, "k", {}, "x"};
    Outcome outcome;
    REQUIRE(broker_.publish({&message, 1}, deadline, outcome).ok());
    return outcome.wait();
  }
  KafkaBroker* operator->() { return &broker_; }

 private:
  testkit::TestServices services_;
  KafkaBroker broker_;
};

TEST_CASE("Every client goes where connect_to says, also to what brokers tell of themselves") {
  const OneMock mock;
  const auto told = Address::parse(mock.address());
  REQUIRE(told.ok());
  tests::TcpProxy proxy(told->host, told->port);
  const std::string target = "127.0.0.1:" + std::to_string(proxy.port());
  Connected kafka({"kafka.invalid:9092"},
                  {{"Kafka.invalid:9092", target}, {mock.address(), target}});
  Connected direct({mock.address()});
  MessageCount received;
  const auto subscription = kafka->subscribe("events", {0}, received);
  REQUIRE(subscription.ok());
  const TopicSpec events{"events", 1};
  REQUIRE(kafka->ensure({&events, 1}, 10s).ok());
  CHECK(kafka.publish(true, 10s) == PublishOutcome::acked);
  CHECK(kafka.publish(false, 10s) == PublishOutcome::acked);
  while (!received.reaches(1, 100ms)) {
    REQUIRE(direct.publish(false, 10s) == PublishOutcome::acked);
  }
  CHECK(proxy.connections() >= 3);

  auto* const servers = static_cast<ServerEndpoints*>(kafka->query(ServerEndpoints::kInterface));
  REQUIRE(servers != nullptr);
  CHECK(servers->redirects() == "connect_to");
  const auto endpoints = servers->endpoints(10s);
  REQUIRE(endpoints.ok());
  REQUIRE(endpoints->size() == 2);
  CHECK((*endpoints)[0].address == "Kafka.invalid:9092");
  CHECK((*endpoints)[1].address == mock.address());
  for (const ServerEndpoint& endpoint : *endpoints) CHECK(endpoint.reached_at == target);

  // Who had a connection of its own would not notice.
  proxy.refuse(true);
  proxy.cut();
  CHECK(kafka.publish(true, 300ms) == PublishOutcome::unknown);
  CHECK(kafka.publish(false, 300ms) == PublishOutcome::unknown);
  CHECK_FALSE(kafka->ensure({&events, 1}, 300ms).ok());
  const int before = received.count();
  MessageCount others;
  const auto open = direct->subscribe("events", {0}, others);
  REQUIRE(open.ok());
  while (!others.reaches(1, 100ms)) REQUIRE(direct.publish(false, 10s) == PublishOutcome::acked);

  CHECK(received.count() == before);
  proxy.refuse(false);
  CHECK(kafka.publish(true, 10s) == PublishOutcome::acked);
  CHECK(kafka.publish(false, 10s) == PublishOutcome::acked);
  CHECK(received.reaches(before + 1, 10s));
}

TEST_CASE("Endpoints: what the settings name and what brokers tell, each once") {
  const OneMock mock;
  Connected kafka({"PLAINTEXT://" + mock.address()});
  auto* const servers = static_cast<ServerEndpoints*>(kafka->query(ServerEndpoints::kInterface));
  REQUIRE(servers != nullptr);
  const auto endpoints = servers->endpoints(10s);
  REQUIRE(endpoints.ok());
  REQUIRE(endpoints->size() == 1);
  CHECK((*endpoints)[0].address == mock.address());
  CHECK((*endpoints)[0].reached_at == mock.address());

  Connected nowhere({"127.0.0.1:1"});
  auto* const none = static_cast<ServerEndpoints*>(nowhere->query(ServerEndpoints::kInterface));
  const auto unreachable = none->endpoints(1s);
  REQUIRE_FALSE(unreachable.ok());
  CHECK(unreachable.status().code() == StatusCode::unavailable);
  CHECK(unreachable.status().message().find("127.0.0.1:1") == 0);
}

}  // namespace
}  // namespace vouch::kafka
