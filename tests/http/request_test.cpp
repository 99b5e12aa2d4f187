// Reading requests: heads, queries, media types, waits, entity tags; without a server.
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <stdexcept>
#include <thread>

#include "accept.h"
#include "parameters.h"
#include "problem.h"
#include "request_head.h"
#include "request_reader.h"

namespace vouch::http {
namespace {

/// The status that reading the head is rejected with; 0 when it is taken.
int rejected(const std::string& head) {
  try {
    read_framing(parse_head(head));
    return 0;
  } catch (const Rejection& rejection) {
    return to_response(rejection.problem).status;
  }
}

TEST_CASE("a request's head is read with its target, fields and version") {
  const Request request = parse_head(
      "POST /v1/streams/a-1/events?ack=delivered HTTP/1.1\r\nHost: h\r\nX-A:  one \r\nx-a: two\r\n"
      "\r\n");
  CHECK(request.method == "POST");
  CHECK(request.path == "/v1/streams/a-1/events");
  CHECK(request.raw_query == "ack=delivered");
  CHECK(request.minor_version == 1);
  CHECK(request.fields.find("X-a") == "one");
  CHECK(request.fields.count("X-A") == 2);
  CHECK(request.fields.joined("x-A") == "one, two");
  CHECK(parse_head("GET http://h:1/livez HTTP/1.1\r\nHost: h\r\n\r\n").path == "/livez");
}

TEST_CASE("heads that two readers could understand differently are refused") {
  const std::string host = "Host: h\r\n";
  struct Row {
    std::string head;
    int status;
  };
  const Row rows[] = {
      {"GET / HTTP/1.1\r\n" + host + "\r\n", 0},
      {"GET / HTTP/1.0\r\n\r\n", 0},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n" + host + host + "\r\n", 400},
      {"GET / HTTP/2.0\r\n" + host + "\r\n", 505},
      {"GET / FTP/1.1\r\n" + host + "\r\n", 400},
      {"GET /\r\n" + host + "\r\n", 400},
      {"G@T / HTTP/1.1\r\n" + host + "\r\n", 400},
      {"GET  / HTTP/1.1\r\n" + host + "\r\n", 400},
      {"GET livez HTTP/1.1\r\n" + host + "\r\n", 400},
      {"GET /a b HTTP/1.1\r\n" + host + "\r\n", 400},
      {"GET http://h/livez HTTP/1.1\r\n" + host + "\r\n", 0},
      {"GET http://h?a=/livez HTTP/1.1\r\n" + host + "\r\n", 400},
      {"GET http://h#/livez HTTP/1.1\r\n" + host + "\r\n", 400},
      {"GET / HTTP/1.1\r\n" + host + "Content-Length : 3\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n" + host + "A: b\r\n folded\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n" + host + "no colon\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n" + host + "A: b\x01\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n" + host + "A: b\nB: c\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\n" + host + "Content-Length: 3\r\nContent-Length: 3\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\n" + host + "Content-Length: +3\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\n" + host + "Content-Length: 99999999999999999999\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\n" + host + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
       400},
      {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip, chunked\r\n\r\n", 400},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\n" + host + "Content-Encoding: gzip\r\n\r\n", 415},
      {"POST / HTTP/1.1\r\n" + host + "Expect: miracles\r\n\r\n", 417},
      {"GET /" + std::string(kMaxTargetBytes, 'a') + " HTTP/1.1\r\n" + host + "\r\n", 414},
  };
  for (const Row& row : rows) {
    INFO(row.head.substr(0, 200));
    CHECK(rejected(row.head) == row.status);
  }
}

TEST_CASE("a connection goes on unless the client says otherwise") {
  const auto keeps = [](const std::string& rest) {
    return read_framing(parse_head("GET / " + rest + "\r\n\r\n")).keep_alive;
  };
  CHECK(keeps("HTTP/1.1\r\nHost: h"));
  CHECK_FALSE(keeps("HTTP/1.1\r\nHost: h\r\nConnection: Close"));
  CHECK_FALSE(keeps("HTTP/1.1\r\nHost: h\r\nConnection: x, close"));
  CHECK_FALSE(keeps("HTTP/1.0"));
}

TEST_CASE("queries are decoded, and refused when malformed or ambiguous") {
  const auto query = Query::parse("a=1&b=x%20y+z&c=&d");
  REQUIRE(query.ok());
  CHECK(query->find("a") == "1");
  CHECK(query->find("b") == "x y z");
  CHECK(query->find("c") == "");
  CHECK(query->find("d") == "");
  CHECK_FALSE(query->find("e").has_value());
  for (const char* bad : {"a=1&a=2", "a=%4", "a=%zz", "%ff=1", "a=%c0%80"}) {
    INFO(bad);
    CHECK_FALSE(Query::parse(bad).ok());
  }
  CHECK(percent_encode("a/b ~\xc3\xa4") == "a%2Fb%20~%C3%A4");
}

TEST_CASE("waits are durations with a unit") {
  CHECK(parse_wait("500ms") == std::chrono::milliseconds(500));
  CHECK(parse_wait("5s") == std::chrono::seconds(5));
  CHECK(parse_wait("1m") == std::chrono::minutes(1));
  for (const char* bad : {"", "5", "s", "-1s", "5h", "1.5s", "9999999999s", "5 s"}) {
    INFO(bad);
    CHECK_FALSE(parse_wait(bad).has_value());
  }
}

TEST_CASE("the media type that the client prefers is chosen") {
  constexpr std::array<std::string_view, 2> kOffered = {"application/json", "text/event-stream"};
  struct Row {
    const char* accept;
    int chosen;  ///< or the problem's status
  };
  const Row rows[] = {
      {"application/json", 0},
      {"text/event-stream", 1},
      {"*/*", 0},
      {"text/*", 1},
      {"TEXT/EVENT-STREAM", 1},
      {"text/html, */*;q=0.1", 0},
      {"application/json;q=0.2, text/event-stream;q=0.7", 1},
      {"application/json;q=0.2, text/event-stream; q=0.15", 0},
      {"application/json;q=0, */*", 1},
      {"application/json;profile=\"a,b\";q=0.1, text/*;q=0.2", 1},
      {"", 0},
      {"text/html", 406},
      {"*/*;q=0", 406},
      {"application/json;q=2", 400},
      {"application/json;q=x", 400},
      {"json", 400},
  };
  for (const Row& row : rows) {
    INFO(row.accept);
    Request request;
    request.fields.add("Accept", row.accept);
    int chosen = -1;
    try {
      chosen = static_cast<int>(choose_media_type(request, kOffered));
    } catch (const Rejection& rejection) {
      chosen = to_response(rejection.problem).status;
    }
    CHECK(chosen == row.chosen);
  }
  CHECK(choose_media_type(Request{}, kOffered) == 0);
}

TEST_CASE("a content type is read with its charset") {
  const auto type = parse_media_type("Application/JSON ; charset=\"UTF-8\"");
  REQUIRE(type.has_value());
  CHECK(type->name == "application/json");
  CHECK(type->charset == "utf-8");
  CHECK_FALSE(parse_media_type("json").has_value());
  CHECK_FALSE(parse_media_type("application/json; charset").has_value());
}

TEST_CASE("entity tags are compared one by one") {
  CHECK(matches_etag("\"7\"", "\"7\""));
  CHECK(matches_etag("\"1\", W/\"7\"", "\"7\""));
  CHECK(matches_etag("*", "\"7\""));
  CHECK_FALSE(matches_etag("\"17\"", "\"7\""));
  CHECK_FALSE(matches_etag("7", "\"7\""));
}

std::array<int, 2> connected_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) != 0) throw std::runtime_error("pair");
  return ends;
}

/// A reader whose other end is in the test's hand.
struct Wire {
  ~Wire() {
    ::close(ends[0]);
    if (ends[1] >= 0) ::close(ends[1]);
  }
  void send(std::string_view bytes) const {
    // Also called by threads of a test, where Catch's macros must not be.
    if (::write(ends[1], bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
      throw std::runtime_error("the wire does not take the bytes");
    }
  }
  void hang_up() { ::close(std::exchange(ends[1], -1)); }

  std::array<int, 2> ends = connected_pair();
  Channel channel{ends[0]};
  RequestReader reader{channel};
};

Channel::TimePoint in(std::chrono::milliseconds time) {
  return std::chrono::steady_clock::now() + time;
}
constexpr std::chrono::milliseconds kSoon{200};
constexpr std::chrono::milliseconds kLong{5'000};

TEST_CASE("chunked bodies are put together, and refused when malformed or too large") {
  struct Row {
    const char* wire;
    const char* body;  ///< null: rejected
    int status;
  };
  const Row rows[] = {
      {"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", "abcde", 0},
      {"0\r\n\r\n", "", 0},
      {"A\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n", "0123456789", 0},
      {"3\r\nabcd\r\n0\r\n\r\n", nullptr, 400},
      {"x\r\nabc\r\n0\r\n\r\n", nullptr, 400},
      {"-1\r\nabc\r\n0\r\n\r\n", nullptr, 400},
      {"b\r\n01234567890\r\n0\r\n\r\n", nullptr, 413},
      {"6\r\n012345\r\n6\r\n012345\r\n0\r\n\r\n", nullptr, 413},
      {"ffffffffffffffff\r\n", nullptr, 413},
      {"fffffffffffffffff\r\n", nullptr, 400},
  };
  for (const Row& row : rows) {
    INFO(row.wire);
    Wire wire;
    wire.send(row.wire);
    Framing framing;
    framing.chunked = true;
    std::optional<std::string> body;
    int status = 0;
    try {
      body = wire.reader.read_body(framing, 10, in(kLong));
    } catch (const Rejection& rejection) {
      status = to_response(rejection.problem).status;
    }
    CHECK(status == row.status);
    if (row.body != nullptr) CHECK(body == row.body);
  }
}

TEST_CASE("the longest line of a chunked body is taken, wherever it is cut on its way") {
  const std::string line = "1;" + std::string(4'094, 'x');
  for (const std::size_t cut : {line.size() - 1, line.size(), line.size() + 1, line.size() + 2}) {
    INFO(cut);
    const std::string wire_bytes = line + "\r\na\r\n0\r\n\r\n";
    Wire wire;
    wire.send(wire_bytes.substr(0, cut));
    std::thread rest([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      wire.send(wire_bytes.substr(cut));
    });
    Framing framing;
    framing.chunked = true;
    std::optional<std::string> body;
    CHECK_NOTHROW(body = wire.reader.read_body(framing, 10, in(kLong)));
    CHECK(body == "a");
    rest.join();
  }
}

TEST_CASE("a body over the limit is refused before it is read") {
  Wire wire;
  Framing framing;
  framing.length = 11;
  CHECK_THROWS_AS(wire.reader.read_body(framing, 10, in(kLong)), Rejection);
}

TEST_CASE("requests that come together are taken one after the other") {
  Wire wire;
  wire.send("\r\nPOST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nxyGET /b HTTP/1.1\r\n");
  REQUIRE(wire.reader.wait_for_request(in(kLong)));
  const auto first = wire.reader.read_head(in(kLong));
  REQUIRE(first.has_value());
  CHECK(first->path == "/a");
  CHECK(wire.reader.read_body(read_framing(*first), 10, in(kLong)) == "xy");
  wire.send("Host: h\r\n\r\n");
  const auto second = wire.reader.read_head(in(kLong));
  REQUIRE(second.has_value());
  CHECK(second->path == "/b");
}

TEST_CASE("a head that trickles in is given up at the deadline of the whole request") {
  Wire wire;
  std::thread trickle([&] {
    for (int i = 0; i < 40; ++i) {
      wire.send("X");
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  });
  const auto started = std::chrono::steady_clock::now();
  int status = 0;
  try {
    static_cast<void>(wire.reader.read_head(in(kSoon)));
  } catch (const Rejection& rejection) {
    status = to_response(rejection.problem).status;
  }
  CHECK(status == 408);
  CHECK(std::chrono::steady_clock::now() - started < std::chrono::milliseconds(700));
  trickle.join();
}

TEST_CASE("a peer that hangs up in the middle is no request") {
  Wire wire;
  wire.send("GET / HTTP/1.1\r\nHo");
  wire.hang_up();
  CHECK_FALSE(wire.reader.read_head(in(kLong)).has_value());
}

TEST_CASE("a head without an end is refused when it is too large") {
  for (const bool has_line : {true, false}) {
    Wire wire;
    std::string head = has_line ? "GET / HTTP/1.1\r\nA: " : "GET /";
    head.append(kMaxHeadBytes, 'a');
    wire.send(head);
    int status = 0;
    try {
      static_cast<void>(wire.reader.read_head(in(kLong)));
    } catch (const Rejection& rejection) {
      status = to_response(rejection.problem).status;
    }
    CHECK(status == (has_line ? 431 : 414));
  }
}

}  // namespace
}  // namespace vouch::http
