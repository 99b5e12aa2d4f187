// Rows of wrong input and the server that they are sent to: what the tests of bad requests share.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "server_under_test.h"

namespace vouch::tests {

inline constexpr const char* kJson = "application/json";
inline const std::string kGood = R"({"type":"t","data":1})";
inline const std::string kAppend = "/v1/streams/log-1/events";
inline const std::string kSnapshot = "/v1/streams/log-1/snapshot";

/// A request and what it must get.
struct Row {
  std::string what;
  std::string method;
  std::string target;
  FieldList fields;
  std::string body;
  int status;
  std::string type;
  std::string words;  ///< a part of `detail`
};

/// The whole store as a client sees it: every event, every stream, the snapshot.
inline std::string everything(const ServerUnderTest& server) {
  std::string all;
  for (const char* path : {"/v1/events", "/v1/streams", "/v1/streams/log-1/snapshot"}) {
    all += server.ask("GET", path).body + '\n';
  }
  return all;
}

/// A server with small limits and something in its store.
struct Target {
  Target() : server(limits()) {
    server.fill("log-1", 3);
    server.ask("PUT", kSnapshot, {{"Content-Type", kJson}}, R"({"version":2,"data":"two"})");
    server.saver->flush();
    before = everything(server);
  }

  static http::HttpOptions limits() {
    http::HttpOptions options;
    options.body_bytes = 10'000;
    options.event_bytes = 1'000;
    options.events_per_append = 3;
    options.page = 100;
    return options;
  }

  void check_answer(const Answer& answer, int status, const std::string& type,
                    const std::string& words) const {
    check_problem(answer, status, type);
    CHECK_THAT(answer.body, Catch::Contains(words));
  }

  void check_untouched() {
    server.saver->flush();
    CHECK(everything(server) == before);
  }

  void check(const Row& row) {
    INFO(row.what);
    Client client(server.server->port());
    const Answer answer = client.ask(row.method, row.target, row.fields, row.body);
    if (row.method == "HEAD") {
      CHECK(answer.status == row.status);
    } else {
      check_answer(answer, row.status, row.type, row.words);
    }
    check_untouched();
  }

  ServerUnderTest server;
  std::string before;
};

}  // namespace vouch::tests
