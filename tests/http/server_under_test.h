// An HTTP server over a host that is wired as the executable wires it, on the testkit.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "host_under_test.h"
#include "http/http_server.h"
#include "http_client.h"

namespace vouch::tests {

struct ServerUnderTest {
  explicit ServerUnderTest(const http::HttpOptions& given = {}, const HostSettings& settings = {},
                           bool with_snapshots = true, bool with_erasures = true,
                           SnapshotStore* snapshots_instead = nullptr)
      : host(world, settings) {
    http::HttpOptions options = given;
    options.listen = "127.0.0.1:0";
    SnapshotStore* snapshots = nullptr;
    if (with_snapshots) {
      snapshots = static_cast<SnapshotStore*>(host.storage().query(SnapshotStore::kInterface));
      if (snapshots_instead != nullptr) snapshots = snapshots_instead;
      saver = std::make_unique<read::SnapshotSaver>(*snapshots, host.services());
      saver->start();
    }
    void* const erasures = with_erasures ? host.storage().query(ErasureStore::kInterface) : nullptr;
    server = std::make_unique<http::HttpServer>(
        options,
        http::HttpBackends{.append = host.appends(),
                           .saga = host.saga(),
                           .replays = host.replays(),
                           .storage = host.storage(),
                           .snapshots = snapshots,
                           .snapshot_saver = saver.get(),
                           .erasures = static_cast<ErasureStore*>(erasures),
                           .live_feed = host.live_feed(),
                           .store = "shop",
                           .partitions = world.partitions,
                           .readiness = [this] { return checks; },
                           .stuck_calls = {},
                           .metrics = [] { return std::string("vouch_up 1\n"); },
                           .info = [] { return std::string(R"({"version":"1"})"); }},
        host.services());
    const Status started = server->start();
    if (!started.ok()) throw std::runtime_error(started.to_string());
  }

  ~ServerUnderTest() {
    world.faults.clear();
    server->stop(std::chrono::steady_clock::now() + std::chrono::seconds(5));
    server.reset();
    if (saver) saver->stop();
    host.stop();
  }

  /// One request on a connection of its own.
  Answer ask(const std::string& method, const std::string& target, const FieldList& fields = {},
             const std::string& body = {}) const {
    return Client(server->port()).ask(method, target, fields, body);
  }

  Answer append(const std::string& stream, const std::string& body, FieldList fields = {},
                const std::string& query = {}) const {
    fields.emplace_back("Content-Type", "application/json");
    return ask("POST", "/v1/streams/" + stream + "/events" + query, fields, body);
  }

  /// `count` events {"type":"happened","data":n} with n from 1, in appends of at most 100.
  void fill(const std::string& stream, int count) const {
    for (int n = 1; n <= count;) {
      std::string body = "[";
      for (int i = 0; i < 100 && n <= count; ++i, ++n) {
        if (i > 0) body += ',';
        body += R"({"type":"happened","data":)" + std::to_string(n) + '}';
      }
      const Answer answer = append(stream, body + ']');
      if (answer.status != 201) throw std::runtime_error(answer.body);
    }
  }

  World world;
  Host host;
  std::unique_ptr<read::SnapshotSaver> saver;
  std::vector<http::ReadinessCheck> checks{{"storage", true, ""}};
  std::unique_ptr<http::HttpServer> server;
};

/// Waits until `condition` holds; false after ten seconds.
inline bool eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 1'000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return condition();
}

inline std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + part.size())) {
    ++count;
  }
  return count;
}

}  // namespace vouch::tests
