// Probes, metrics, delivery.
#include <catch2/catch.hpp>
#include <fstream>
#include <future>
#include <iterator>

#include "format/json_text.h"
#include "readiness.h"
#include "server_under_test.h"

namespace vouch::tests {
namespace {

class HandClock final : public Clock {
 public:
  Timestamp now() const override { return {}; }
  std::chrono::steady_clock::time_point steady() const override { return time; }
  std::chrono::steady_clock::time_point time{};
};

TEST_CASE("readiness names what fails, and in full on request") {
  ServerUnderTest server;
  server.checks = {{"storage", true, ""}, {"broker main", false, "connection\nrefused"}};
  const Answer brief = server.ask("GET", "/readyz");
  CHECK(brief.status == 503);
  CHECK(brief.body == "[-]broker main failed: connection refused\nnot ready\n");
  const Answer verbose = server.ask("GET", "/readyz?verbose");
  CHECK(verbose.status == 503);
  CHECK(verbose.body == "[+]storage ok\n[-]broker main failed: connection refused\nnot ready\n");
  CHECK(server.ask("GET", "/livez").status == 200);
  CHECK(server.ask("HEAD", "/livez").field("Content-Length") == "3");
}

TEST_CASE("a ready host says so") {
  const ServerUnderTest server;
  CHECK(server.ask("GET", "/readyz").body == "ready\n");
  CHECK(server.ask("GET", "/readyz?verbose").body == "[+]storage ok\nready\n");
}

TEST_CASE("readiness is asked at most once a second") {
  HandClock clock;
  int asked = 0;
  const std::function<std::vector<http::ReadinessCheck>()> ask = [&] {
    ++asked;
    return std::vector<http::ReadinessCheck>{{"storage", asked < 2, ""}};
  };
  const http::Readiness::Ask nothing;
  http::Readiness readiness(ask, nothing, clock);
  CHECK(readiness.checks().at(0).ok);
  clock.time += std::chrono::milliseconds(999);
  CHECK(readiness.checks().at(0).ok);
  CHECK(asked == 1);
  clock.time += std::chrono::milliseconds(1);
  CHECK_FALSE(readiness.checks().at(0).ok);
}

TEST_CASE("a check that does not answer holds up one probe, and the others are told") {
  std::promise<void> release;
  std::promise<void> asked;
  const http::Readiness::Ask ask = [&] {
    asked.set_value();
    release.get_future().wait();
    return std::vector<http::ReadinessCheck>{{"storage", true, ""}};
  };
  const http::Readiness::Ask calls = [] {
    return std::vector<http::ReadinessCheck>{{"plugin x", false, "health has not returned"}};
  };
  const HandClock clock;
  http::Readiness readiness(ask, calls, clock);
  auto first = std::async(std::launch::async, [&] { return readiness.checks(); });
  asked.get_future().wait();
  const auto told = readiness.checks();
  release.set_value();
  REQUIRE(told.size() == 2);
  CHECK(told[0].name == "checks");
  CHECK(told[0].detail == "no answer for 0 s");
  CHECK_FALSE(told[0].ok);
  CHECK(told[1].detail == "health has not returned");
  const auto answered = first.get();
  REQUIRE(answered.size() == 2);
  CHECK(answered[0].ok);
  CHECK(answered[0].name == "storage");
  CHECK(readiness.checks().size() == 2);  // of the last second, without asking again
}

TEST_CASE("requests are counted by route, method and status, whatever the path") {
  ServerUnderTest server;
  const auto requests = [&] { return server.host.services().metric("vouch_http_requests_total"); };
  server.fill("a-1", 1);
  server.fill("a-2", 1);
  server.ask("GET", "/nowhere/1");
  server.ask("BREW", "/nowhere/2");
  CHECK(eventually([&] { return requests() == 4; }));
  CHECK(server.host.services().metric("vouch_http_request_duration_seconds") == 4);
  CHECK(eventually([&] { return server.host.services().metric("vouch_http_connections") == 0; }));
  const Answer text = server.ask("GET", "/metrics");
  CHECK(text.field("Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(text.body == "vouch_up 1\n");
}

TEST_CASE("delivery is told in all and for each partition") {
  ServerUnderTest server;
  for (int i = 0; i < 6; ++i) {
    const Answer answer = server.append("a-" + std::to_string(i), R"({"type":"t","data":1})", {},
                                        "?ack=delivered&wait=10s");
    REQUIRE(answer.text("state") == "delivered");
  }
  const Answer report = server.ask("GET", "/v1/delivery");
  CHECK(format::parse_json(report.body).ok());
  INFO(report.body);
  CHECK(report.has(R"({"total":{"owned":4,"undelivered":0,"oldest_undelivered_seconds":null,)"
                   R"("delivered":6,)"));
  CHECK(count_of(report.body, "\"partition\":") == 4);
  CHECK(count_of(report.body, "\"owned\":true") == 4);
  const std::vector<saga::HostReport> hosts = server.host.saga().host_reports();
  REQUIRE(hosts.size() == 1);
  CHECK(count_of(report.body, R"("owner":")" + hosts[0].id + '"') == 4);
  CHECK(
      report.has(R"("hosts":[{"id":")" + hosts[0].id + R"(","name":"","self":true,"here":true,)"));
  CHECK(report.has(R"("partitions":[0,1,2,3]}],)"));
}

TEST_CASE("what waits for delivery has an age in seconds") {
  ServerUnderTest server;
  server.world.faults.decide([](testkit::Step step) {
    return step == testkit::Step::publish_outbound ? testkit::Fault::fail : testkit::Fault::none;
  });
  server.fill("a-1", 3);
  const Answer report = server.ask("GET", "/v1/delivery");
  INFO(report.body);
  CHECK(report.has(R"("undelivered":3,"oldest_undelivered_seconds":)"));
  const std::size_t at = report.body.find("_seconds\":") + 10;
  CHECK(report.body[at] >= '0');
  CHECK(report.body[at] <= '9');
}

TEST_CASE("the API's description is served as it was when this was built") {
  const ServerUnderTest server;
  const Answer answer = server.ask("GET", "/openapi.yaml");
  CHECK(answer.status == 200);
  CHECK(answer.field("Content-Type") == "application/yaml");
  CHECK(answer.body == http::openapi_yaml());
  std::ifstream file(VOUCH_SOURCE_DIRECTORY "/docs/openapi.yaml", std::ios::binary);
  const std::string document{std::istreambuf_iterator<char>(file), {}};
  REQUIRE_FALSE(document.empty());
  CHECK(answer.body == document);
}

}  // namespace
}  // namespace vouch::tests
