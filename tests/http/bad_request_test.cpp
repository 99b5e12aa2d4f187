// Requests that are wrong in their path, method, parameters or very bytes, on real sockets: what is
// sent, and the status, the type of problem and the words that come back.
#include <catch2/catch.hpp>

#include "bad_input.h"

namespace vouch::tests {
namespace {

Row get(std::string what, std::string target, int status, std::string type, std::string words) {
  return {std::move(what), "GET",           std::move(target), {}, {},
          status,          std::move(type), std::move(words)};
}

Row bad_get(std::string target, std::string words) {
  std::string what = target;
  return get(std::move(what), std::move(target), 400, "bad-request", std::move(words));
}

Row snapshot(std::string what, std::string body, int status, std::string type, std::string words) {
  return {std::move(what), "PUT",  kSnapshot,       {{"Content-Type", kJson}},
          std::move(body), status, std::move(type), std::move(words)};
}

std::vector<Row> stream_names() {
  const std::string legal = "a stream name";
  std::vector<Row> rows;
  for (const std::string& name :
       {std::string("a%20b"), std::string("%C3%A4"), std::string("a%2Fb"), std::string("a*"),
        std::string("a%00"), std::string("."), std::string(".."), std::string("%2E%2e"),
        std::string("a%0Ab"), std::string("a+b"), std::string("a;b"), std::string("%252F"),
        std::string(256, 'a')}) {
    const std::string stream = "/v1/streams/" + name;
    rows.push_back({"append to " + name,
                    "POST",
                    stream + "/events",
                    {{"Content-Type", kJson}},
                    kGood,
                    400,
                    "bad-request",
                    legal});
    rows.push_back(bad_get(stream + "/events", legal));
    rows.push_back(bad_get(stream + "/state", legal));
    rows.push_back(bad_get(stream + "/snapshot", legal));
    rows.push_back({"drop the snapshot of " + name,
                    "DELETE",
                    stream + "/snapshot",
                    {},
                    {},
                    400,
                    "bad-request",
                    legal});
  }
  rows.push_back(bad_get("/v1/streams/a%4/events", "the path has a malformed %-escape"));
  rows.push_back(bad_get("/v1/streams/a%zz/events", "the path has a malformed %-escape"));
  rows.push_back(get("an empty name", "/v1/streams//events", 404, "not-found", "no such path"));
  rows.push_back(get("no such stream", "/v1/streams/nobody/events", 404, "not-found", "nobody"));
  rows.push_back(
      {"HEAD of a bad name", "HEAD", "/v1/streams/a%20b/events", {}, {}, 400, "bad-request", ""});
  return rows;
}

std::vector<Row> parameters() {
  const std::string limit = R"(the query parameter \"limit\" must be a number from 1 to 100)";
  const std::string from = R"(the query parameter \"from\" must be a number from 1 to)";
  const std::string cursor = "must be a cursor that this API gave out";
  std::vector<Row> rows;
  for (const std::string& path : {kAppend, std::string("/v1/events"), std::string("/v1/streams")}) {
    for (const char* bad :
         {"0", "-1", "+1", "101", "x", "", "1.0", "1e1", "%201", "0x1", "99999999999999999999"}) {
      rows.push_back(bad_get(path + "?limit=" + bad, limit));
    }
  }
  for (const char* bad : {"0", "-1", "1.5", "x", "", "9223372036854775808"}) {
    rows.push_back(bad_get(kAppend + "?from=" + bad, from));
  }
  for (const char* bad : {"nonsense", "", "c", "c%25", "cAA==", "c*", "START", "start%00",
                          "cAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}) {
    rows.push_back(bad_get(std::string("/v1/events?after=") + bad, "cursor"));
    rows.push_back(bad_get(std::string("/v1/feed?after=") + bad, "cursor"));
  }
  rows.push_back(bad_get("/v1/events?after=nonsense", cursor));
  for (const std::string& path : {std::string("/v1/events"), std::string("/v1/feed")}) {
    rows.push_back(bad_get(path + "?category=a-b", "category"));
    rows.push_back(bad_get(path + "?category=", "category"));
    rows.push_back(bad_get(path + "?type=", "type"));
    rows.push_back(bad_get(path + "?stream=a%20b", "stream"));
    rows.push_back(bad_get(path + "?type=%FF", "malformed %-escape or is not UTF-8"));
    rows.push_back(bad_get(path + "?type=a&type=b", R"(\"type\" is given twice)"));
  }
  rows.push_back(bad_get("/v1/streams?after=a%20b", "after"));
  rows.push_back(bad_get(kAppend + "?direction=sideways", R"(\"forward\" or \"backward\")"));
  rows.push_back(bad_get(kAppend + "?form=1", R"(\"form\" is unknown; known here: from limit)"));
  rows.push_back(bad_get("/v1/info?a=1", R"(\"a\" is unknown; there are none here)"));
  rows.push_back(bad_get("/livez?a=%4", "malformed %-escape"));
  rows.push_back(bad_get("/v1/events/short", "an event id is a KSUID: 27 digits of base62"));
  rows.push_back(bad_get("/v1/events/" + std::string(27, '_'), "KSUID"));
  rows.push_back(get("an id that nobody has", "/v1/events/0ujsszwN8NRY24YaXiTIE2VWDTS", 404,
                     "not-found", "there is no event 0ujsszwN8NRY24YaXiTIE2VWDTS"));
  for (const char* bad : {"x", "0-1", "0--", "00-1-", "0-1-*", "-1-1-", "4294967296-1-"}) {
    rows.push_back(bad_get(std::string("/v1/transactions/") + bad,
                           "this is not a transaction that this API gave out"));
  }
  for (const char* bad :
       {"ack=maybe", "wait=5s", "ack=delivered&wait=61s", "ack=delivered&wait=5",
        "ack=delivered&wait=-1s", "ack=delivered&ack=delivered", "akc=committed"}) {
    rows.push_back({std::string("append?") + bad,
                    "POST",
                    kAppend + "?" + bad,
                    {{"Content-Type", kJson}},
                    kGood,
                    400,
                    "bad-request",
                    "the query parameter"});
  }
  return rows;
}

std::vector<Row> accepts() {
  const auto accept = [](const char* target, const char* types, int status, const char* type,
                         const char* words) {
    return Row{std::string(target) + " as " + types,
               "GET",
               target,
               {{"Accept", types}},
               {},
               status,
               type,
               words};
  };
  return {
      accept("/v1/streams/log-1/events", "text/html", 406, "not-acceptable", "offered here: "),
      accept("/v1/streams/log-1/state", "text/html", 406, "not-acceptable", kJson),
      accept("/v1/streams/log-1/snapshot", "text/html", 406, "not-acceptable", kJson),
      accept("/v1/streams", "text/html", 406, "not-acceptable", kJson),
      accept("/v1/events", "application/xml", 406, "not-acceptable", "application/x-ndjson"),
      accept("/v1/feed", kJson, 406, "not-acceptable", "text/event-stream"),
      accept("/v1/events", "*/*;q=0", 406, "not-acceptable", "offered here: "),
      accept("/v1/events", "json", 400, "bad-request", "the header Accept is malformed"),
      accept("/v1/events", "*/*;q=2", 400, "bad-request", "the header Accept has a bad q value"),
  };
}

std::vector<Row> snapshots() {
  return {
      snapshot("a snapshot cut short", R"({"version":1,"data":)", 400, "bad-request", "column 21"),
      snapshot("a list", "[]", 400, "bad-request", "the body must be an object"),
      snapshot("no version", R"({"data":1})", 400, "bad-request", "version is missing"),
      snapshot("no data", R"({"version":1})", 400, "bad-request", "data is missing"),
      snapshot("version 0", R"({"version":0,"data":1})", 400, "bad-request",
               "version must be a whole number from 1"),
      snapshot("a negative version", R"({"version":-1,"data":1})", 400, "bad-request",
               "version must be a whole number from 1"),
      snapshot("a version that is a text", R"({"version":"1","data":1})", 400, "bad-request",
               "version must be a whole number from 1"),
      snapshot("a version with a fraction", R"({"version":1.0,"data":1})", 400, "bad-request",
               "version must be a whole number from 1"),
      snapshot("an unknown member", R"({"version":1,"data":1,"time":1})", 400, "bad-request",
               "time is unknown: version and data are known"),
      snapshot("a version to come", R"({"version":4,"data":1})", 422, "unprocessable",
               "the snapshot is of version 4, the stream is at 3"),
      snapshot("too large", std::string(10'001, ' '), 413, "too-large", "more than 10000 bytes"),
      {"a snapshot that is not JSON",
       "PUT",
       kSnapshot,
       {{"Content-Type", "text/plain"}},
       "x",
       415,
       "unsupported-media-type",
       "a snapshot comes as application/json"},
      {"a snapshot of nothing",
       "PUT",
       "/v1/streams/nobody/snapshot",
       {{"Content-Type", kJson}},
       R"({"version":1,"data":1})",
       404,
       "not-found",
       "nobody"},
  };
}

std::vector<Row> routes() {
  std::vector<Row> rows;
  for (const char* path :
       {"/", "/v1", "/v1/", "/v2/events", "/v1/events/", "/V1/events", "/v1/streams/log-1",
        "/v1/streams/log-1/", "/v1/streams/log-1/event", "/v1/streams/log-1/events/1", "/livez/",
        "/openapi.yml", "/favicon.ico"}) {
    rows.push_back(get(path, path, 404, "not-found", "there is no such path"));
  }
  const auto method = [&](const char* name, const std::string& path, const std::string& words) {
    rows.push_back(
        {std::string(name) + " " + path, name, path, {}, {}, 405, "method-not-allowed", words});
  };
  method("DELETE", kAppend, "this path takes POST, HEAD, GET");
  method("PUT", kAppend, "this path takes POST, HEAD, GET");
  method("PATCH", kSnapshot, "this path takes GET, HEAD, PUT, DELETE");
  method("POST", "/v1/events", "this path takes GET, HEAD");
  method("OPTIONS", "/v1/streams", "this path takes GET, HEAD");
  method("TRACE", "/livez", "this path takes GET, HEAD");
  method("get", "/livez", "this path takes GET, HEAD");
  method("BREW", "/v1/info", "this path takes GET, HEAD");
  rows.push_back({"HEAD of the feed", "HEAD", "/v1/feed", {}, {}, 405, "method-not-allowed", ""});
  return rows;
}

TEST_CASE("a request that is wrong gets its status, its problem and words, and changes nothing") {
  Target target;
  for (const auto& rows : {stream_names(), parameters(), accepts(), snapshots(), routes()}) {
    for (const Row& row : rows) target.check(row);
  }
}

std::string repeated(const std::string& text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

/// What comes as bytes, since no client library would send it.
struct RawRow {
  const char* what;
  std::string bytes;
  int status;
  const char* type;
  const char* words;
};

TEST_CASE("bytes that are no request get a problem and the end, and change nothing") {
  Target target;
  const std::string host = "Host: h\r\n";
  const std::string head =
      "POST " + kAppend + " HTTP/1.1\r\n" + host + "Content-Type: application/json\r\n";
  const std::string chunked = head + "Transfer-Encoding: chunked\r\n\r\n";
  const RawRow rows[] = {
      {"nonsense", "nonsense\r\n\r\n", 400, "bad-request", "the request line is malformed"},
      {"the start of TLS", std::string("\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 11), 400,
       "bad-request", "the request line is malformed"},
      {"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "bad-request",
       "only HTTP/1.1 and HTTP/1.0 are spoken here"},
      {"another protocol", "GET / FTP/1.0\r\n\r\n", 400, "bad-request", "only HTTP/1.1"},
      {"no host", "GET /livez HTTP/1.1\r\n\r\n", 400, "bad-request", "exactly one header Host"},
      {"two hosts", "GET /livez HTTP/1.1\r\n" + host + host + "\r\n", 400, "bad-request",
       "exactly one header Host"},
      {"a target without a slash", "GET livez HTTP/1.1\r\n" + host + "\r\n", 400, "bad-request",
       "the request target must begin with /"},
      {"a target with a zero byte", std::string("GET /\0 HTTP/1.1\r\n", 17) + host + "\r\n", 400,
       "bad-request", "the request target is malformed"},
      {"a method with a bracket", "G(T / HTTP/1.1\r\n" + host + "\r\n", 400, "bad-request",
       "the method is malformed"},
      {"a folded header", "GET / HTTP/1.1\r\n" + host + "A: b\r\n c\r\n\r\n", 400, "bad-request",
       "a header field is malformed"},
      {"a space in front of the colon", "GET / HTTP/1.1\r\n" + host + "A : b\r\n\r\n", 400,
       "bad-request", "a header field is malformed"},
      {"a bare line feed", "GET / HTTP/1.1\r\n" + host + "A: b\nB: c\r\n\r\n", 400, "bad-request",
       "the header A has control characters"},
      {"a header without a name", "GET / HTTP/1.1\r\n" + host + ": b\r\n\r\n", 400, "bad-request",
       "a header field is malformed"},
      {"a target of 16 KiB", "GET /" + std::string(16'384, 'a') + " HTTP/1.1\r\n" + host + "\r\n",
       414, "too-large", "the request target is too long"},
      {"a request line without an end", "GET /" + std::string(40'000, 'a'), 414, "too-large",
       "too large"},
      {"a head of 40 kB", "GET / HTTP/1.1\r\n" + host + "A: " + std::string(40'000, 'a'), 431,
       "too-large", "the request's head is too large"},
      {"many headers", "GET / HTTP/1.1\r\n" + host + repeated("A: b\r\n", 6'000), 431, "too-large",
       "the request's head is too large"},
      {"two lengths", head + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400,
       "bad-request", "the header Content-Length is given twice"},
      {"a negative length", head + "Content-Length: -3\r\n\r\n", 400, "bad-request",
       "the header Content-Length must be a number"},
      {"a length in hexadecimal", head + "Content-Length: 0x3\r\n\r\nabc", 400, "bad-request",
       "the header Content-Length must be a number"},
      {"two lengths in one", head + "Content-Length: 3, 3\r\n\r\nabc", 400, "bad-request",
       "the header Content-Length must be a number"},
      {"a length of 20 digits", head + "Content-Length: 99999999999999999999\r\n\r\n", 400,
       "bad-request", "the header Content-Length must be a number"},
      {"a length of 16 exbibytes", head + "Content-Length: 18446744073709551615\r\n\r\n", 413,
       "too-large", "the body has more than 10000 bytes"},
      {"a length of 50 MB that is only announced", head + "Content-Length: 50000000\r\n\r\n", 413,
       "too-large", "the body has more than 10000 bytes"},
      {"a length and chunks",
       head + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
       "bad-request", "Transfer-Encoding and Content-Length exclude each other"},
      {"a coding that nobody knows", head + "Transfer-Encoding: gzip, chunked\r\n\r\n", 400,
       "bad-request", R"(only \"chunked\" is understood)"},
      {"chunks in HTTP/1.0", "POST " + kAppend + " HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
       400, "bad-request", "HTTP/1.0 has no Transfer-Encoding"},
      {"a chunk size that is none", chunked + "x\r\n", 400, "bad-request",
       "a malformed chunk size"},
      {"a chunk size with a sign", chunked + "+5\r\n", 400, "bad-request",
       "a malformed chunk size"},
      {"no chunk size", chunked + "\r\n", 400, "bad-request", "a malformed chunk size"},
      {"a chunk size of 17 digits", chunked + "fffffffffffffffff\r\n", 400, "bad-request",
       "a malformed chunk size"},
      {"the largest chunk size", chunked + "ffffffffffffffff\r\n", 413, "too-large",
       "the body has more than 10000 bytes"},
      {"a chunk longer than its size", chunked + "3\r\nabcd\r\n", 400, "bad-request",
       "a chunk longer than its size"},
      {"a chunk extension without an end", chunked + "3;" + std::string(5'000, 'x'), 400,
       "bad-request", "too long a line"},
      {"trailers without an end",
       chunked + "0\r\n" + repeated("Trailer: " + std::string(40, 't') + "\r\n", 300), 400,
       "bad-request", "too many trailers"},
  };
  for (const RawRow& row : rows) {
    INFO(row.what);
    Client client(target.server.server->port());
    client.send_raw(row.bytes);
    const Answer answer = client.read_answer();
    target.check_answer(answer, row.status, row.type, row.words);
    CHECK(client.at_end());
    target.check_untouched();
  }
}

TEST_CASE("what follows a body that was announced too short is no request") {
  Target target;
  Client client(target.server.server->port());
  client.send_raw("POST " + kAppend +
                  " HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
                  "Content-Length: 5\r\n\r\n" +
                  kGood + "\r\n\r\n");
  target.check_answer(client.read_answer(), 400, "bad-request", "the body is not JSON");
  target.check_answer(client.read_answer(), 400, "bad-request", "the request line is malformed");
  CHECK(client.at_end());
  target.check_untouched();
}

}  // namespace
}  // namespace vouch::tests
