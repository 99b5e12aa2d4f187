// Appends that are wrong: body, headers and CloudEvents, each with the status, the type of problem
// and the words that come back. After each, the store is as it was.
#include <catch2/catch.hpp>

#include "bad_input.h"

namespace vouch::tests {
namespace {

constexpr const char* kCloud = "application/cloudevents+json";
constexpr const char* kBatch = "application/cloudevents-batch+json";
const std::string kCloudEvent = R"({"specversion":"1.0","id":"x-1","source":"/s","type":"t"})";

Row append(std::string what, std::string body, int status, std::string type, std::string words) {
  return {std::move(what), "POST", kAppend,         {{"Content-Type", kJson}},
          std::move(body), status, std::move(type), std::move(words)};
}

Row malformed(std::string what, std::string body, std::string words) {
  return append(std::move(what), std::move(body), 400, "bad-request", std::move(words));
}

Row with_fields(std::string what, FieldList fields, std::string words) {
  fields.emplace_back("Content-Type", kJson);
  return {std::move(what), "POST", kAppend,       std::move(fields),
          kGood,           400,    "bad-request", std::move(words)};
}

Row typed(std::string what, FieldList fields, std::string body, int status, std::string type,
          std::string words) {
  return {std::move(what), "POST", kAppend,         std::move(fields),
          std::move(body), status, std::move(type), std::move(words)};
}

std::vector<Row> bodies() {
  const std::string deep(600, '[');
  return {
      malformed("no body", "", "the body is not JSON: line 1, column 1"),
      malformed("JSON cut in a string", R"({"type":"t","data":"ab)",
                "column 20: the string that begins here has no end"),
      malformed("JSON cut behind a colon", R"({"type":"t","data":)", "line 1, column 20"),
      malformed("JSON cut in an escape", R"({"type":"t","data":"\u00)", "line 1, column"),
      malformed("JSON cut in an array", "[" + kGood + ",", "line 1, column 24"),
      malformed("an error in line 3", "[\n\n  {,}]", "line 3, column 4"),
      malformed("two documents", kGood + kGood, "line 1, column 22"),
      malformed("a comma too many", R"({"type":"t","data":[1,]})", "column 23"),
      malformed("a comment", R"({"type":"t",/**/"data":1})", "column 13"),
      malformed("NaN", R"({"type":"t","data":NaN})", "column 20"),
      malformed("a number that begins with 0", R"({"type":"t","data":01})", "column 21"),
      malformed("single quotes", "{'type':'t','data':1}", "column 2"),
      malformed("bytes that are not UTF-8", "{\"type\":\"t\",\"data\":\"\xff\"}", "column 21"),
      malformed("an overlong form", "{\"type\":\"t\",\"data\":\"\xc0\x80\"}", "column 21"),
      malformed("half a surrogate", R"({"type":"t","data":"\ud800"})", "column 21"),
      malformed("a bare line break in a string", "{\"type\":\"t\",\"data\":\"a\nb\"}", "column 22"),
      malformed("a zero byte", std::string("{\"type\":\"t\",\"data\":\0 1}", 22), "column 20"),
      malformed("a byte order mark", "\xef\xbb\xbf" + kGood, "column 1"),
      malformed("nesting without end", R"({"type":"t","data":)" + deep, "nested too deep"),
      malformed("a number", "7", "the body must be an event or an array of events"),
      malformed("null", "null", "the body must be an event or an array of events"),
      malformed("no events", "[]", "the array of events must not be empty"),
      malformed("an event that is a text", R"(["t"])", "events[0] must be an object"),
      malformed("a second event that is none", "[" + kGood + ",[]]", "events[1] must be an object"),
      malformed("no type", R"({"data":1})", "event.type is missing"),
      malformed("no data", R"({"type":"t"})", "event.data is missing"),
      malformed("an empty type", R"({"type":"","data":1})", "event.type must not be empty"),
      malformed("a type that is a number", R"({"type":7,"data":1})", "event.type must be a string"),
      malformed("a type that is null", R"({"type":null,"data":1})", "event.type must be a string"),
      malformed("a type of 256 bytes", R"({"type":")" + std::string(256, 't') + R"(","data":1})",
                "event.type must not be longer than 255 bytes"),
      malformed("a misspelt member", R"({"type":"t","data":1,"meta":{}})",
                "event.meta is unknown: type, data, metadata and id are known"),
      malformed("data twice", R"({"type":"t","data":1,"data":2})", R"(the key \"data\" occurs)"),
      malformed("the same key in two spellings", R"({"type":"t","data":1,"d\u0061ta":2})",
                R"(the key \"data\" occurs twice)"),
      malformed("metadata that is a list", R"({"type":"t","data":1,"metadata":[]})",
                "event.metadata must be an object"),
      malformed("metadata that is null", R"({"type":"t","data":1,"metadata":null})",
                "event.metadata must be an object"),
      malformed("an id that is no KSUID", R"({"type":"t","data":1,"id":"short"})",
                "event.id must be a KSUID: 27 digits of base62"),
      malformed("an id beyond the largest",
                R"({"type":"t","data":1,"id":")" + std::string(27, 'z') + R"("})",
                "event.id must be a KSUID"),
      malformed("an id that is a number", R"({"type":"t","data":1,"id":7})",
                "event.id must be a KSUID"),
      append("too many events", "[" + kGood + "," + kGood + "," + kGood + "," + kGood + "]", 413,
             "too-large", "an append takes at most 3 events, this one has 4"),
      append("too large an event", R"({"type":"t","data":")" + std::string(999, 'x') + R"("})", 413,
             "too-large", "events[0] has 1001 bytes of data and metadata, at most 1000 are taken"),
      append("too large a body", std::string(10'001, ' '), 413, "too-large",
             "the body has more than 10000 bytes"),
  };
}

std::vector<Row> append_headers() {
  const std::string quotes = "the header If-Match needs";
  return {
      with_fields("a version without quotes", {{"If-Match", "7"}}, quotes),
      with_fields("a weak tag", {{"If-Match", "W/\"3\""}}, "without W/"),
      with_fields("a tag that is no version", {{"If-Match", "\"a\""}}, quotes),
      with_fields("two tags", {{"If-Match", "\"3\", \"4\""}}, quotes),
      with_fields("a negative version", {{"If-Match", "\"-1\""}}, quotes),
      with_fields("a version with a sign", {{"If-Match", "\"+3\""}}, quotes),
      with_fields("a version with a space", {{"If-Match", "\" 3\""}}, quotes),
      with_fields("a version of 21 digits", {{"If-Match", "\"100000000000000000000\""}}, quotes),
      with_fields("an open quote", {{"If-Match", "\"3"}}, quotes),
      with_fields("an empty condition", {{"If-Match", ""}}, quotes),
      with_fields("none of a version", {{"If-None-Match", "\"3\""}},
                  "an append takes only If-None-Match: *"),
      with_fields("both conditions", {{"If-Match", "\"3\""}, {"If-None-Match", "*"}},
                  "exclude each other"),
      with_fields("a condition twice", {{"If-Match", "\"3\""}, {"If-Match", "\"3\""}},
                  "the header If-Match is given twice"),
      with_fields("an empty key", {{"Idempotency-Key", ""}},
                  "must be one of 1 to 255 visible ASCII characters"),
      with_fields("a key with a space", {{"Idempotency-Key", "two words"}}, "visible ASCII"),
      with_fields("a key beyond ASCII", {{"Idempotency-Key", "caf\xc3\xa9"}}, "visible ASCII"),
      with_fields("a key of 256 bytes", {{"Idempotency-Key", std::string(256, 'k')}}, "1 to 255"),
      with_fields("two keys", {{"Idempotency-Key", "a"}, {"Idempotency-Key", "b"}}, "must be one"),
      with_fields("a content type twice", {{"Content-Type", kJson}},
                  "the header Content-Type is given twice"),
      typed("version 0 of a stream that exists", {{"Content-Type", kJson}, {"If-Match", "\"0\""}},
            kGood, 412, "wrong-expected-version", R"("expected":0,"actual":3)"),
      typed("the largest version",
            {{"Content-Type", kJson}, {"If-Match", "\"18446744073709551615\""}}, kGood, 412,
            "wrong-expected-version", R"("expected":18446744073709551615,"actual":3)"),
      typed("no content type", {}, kGood, 415, "unsupported-media-type",
            "events come as application/json"),
      typed("text", {{"Content-Type", "text/plain"}}, kGood, 415, "unsupported-media-type",
            "events come as application/json"),
      typed("a form", {{"Content-Type", "application/x-www-form-urlencoded"}}, "a=b", 415,
            "unsupported-media-type", "events come as application/json"),
      typed("JSON in Latin-1", {{"Content-Type", "application/json; charset=latin1"}}, kGood, 415,
            "unsupported-media-type", "JSON comes in UTF-8, not in latin1"),
      typed("a content type that is none", {{"Content-Type", "json"}}, kGood, 400, "bad-request",
            "the header Content-Type is malformed"),
      typed("a compressed body", {{"Content-Type", kJson}, {"Content-Encoding", "gzip"}}, kGood,
            415, "unsupported-media-type", "bodies are taken without Content-Encoding"),
      typed("an expectation that nobody knows", {{"Content-Type", kJson}, {"Expect", "miracles"}},
            kGood, 417, "bad-request", "only Expect: 100-continue is known"),
  };
}

std::vector<Row> cloud_events() {
  const auto cloud = [](std::string what, std::string body, std::string words) {
    return typed(std::move(what), {{"Content-Type", kCloud}}, std::move(body), 400, "bad-request",
                 std::move(words));
  };
  const auto batch = [](std::string what, std::string body, std::string words) {
    return typed(std::move(what), {{"Content-Type", kBatch}}, std::move(body), 400, "bad-request",
                 std::move(words));
  };
  const auto binary = [](std::string what, FieldList fields, std::string body, std::string words) {
    for (const auto& [name, value] : FieldList{
             {"ce-specversion", "1.0"}, {"ce-id", "x"}, {"ce-source", "/s"}, {"ce-type", "t"}}) {
      fields.emplace_back(name, value);
    }
    return typed(std::move(what), std::move(fields), std::move(body), 400, "bad-request",
                 std::move(words));
  };
  return {
      cloud("a CloudEvent cut short", R"({"specversion":"1.0")", "line 1, column 21"),
      cloud("a list as one CloudEvent", "[]", "the body must be a CloudEvent"),
      cloud("another version of CloudEvents",
            R"({"specversion":"0.3","id":"x","source":"/s","type":"t"})", "specversion"),
      cloud("no source", R"({"specversion":"1.0","id":"x","type":"t"})", "source"),
      cloud("an empty id", R"({"specversion":"1.0","id":"","source":"/s","type":"t"})", "id"),
      cloud(
          "a type of 256 bytes",
          R"({"specversion":"1.0","id":"x","source":"/s","type":")" + std::string(256, 't') + "\"}",
          "type must not be longer than 255 bytes"),
      cloud("a time that is none",
            R"({"specversion":"1.0","id":"x","source":"/s","type":"t","time":"today"})",
            R"(\"time\" is not a time of RFC 3339)"),
      cloud("an attribute in capitals",
            R"({"specversion":"1.0","id":"x","source":"/s","type":"t","Tenant":"a"})", "Tenant"),
      cloud(
          "data in two forms",
          R"({"specversion":"1.0","id":"x","source":"/s","type":"t","data":1,"data_base64":"AA=="})",
          "exclude each other"),
      cloud("base64 that is none",
            R"({"specversion":"1.0","id":"x","source":"/s","type":"t","data_base64":"A"})",
            R"(\"data_base64\" is not base64)"),
      batch("one CloudEvent as a batch", kCloudEvent, "the body must be an array of CloudEvents"),
      batch("no CloudEvents", "[]", "must not be empty"),
      batch("a second one without a type",
            "[" + kCloudEvent + R"(,{"specversion":"1.0","id":"x","source":"/s"}])", "events[1]: "),
      batch("a number in a batch", "[7]", "events[0]: must be an object"),
      binary("JSON that is none", {{"Content-Type", kJson}}, "{", R"(\"body\" is not JSON)"),
      binary("an attribute twice", {{"Content-Type", "text/plain"}, {"ce-type", "u"}}, "x",
             "is given twice"),
      binary("a malformed escape", {{"Content-Type", "text/plain"}, {"ce-tenant", "100%"}}, "x",
             "has a malformed %-escape"),
      binary("an attribute that is not UTF-8",
             {{"Content-Type", "text/plain"}, {"ce-tenant", "%FF"}}, "x", "not UTF-8"),
      binary("a content type that is not UTF-8", {{"Content-Type", "text/plain; name=\xe9"}}, "x",
             "Content-Type is not UTF-8"),
      binary("a content type as an attribute", {{"ce-datacontenttype", "text/plain"}}, "x",
             "belongs into Content-Type"),
      typed("no id in binary mode",
            {{"ce-specversion", "1.0"}, {"ce-source", "/s"}, {"ce-type", "t"}}, "x", 400,
            "bad-request", "id"),
  };
}

TEST_CASE("an append that is wrong gets its status, its problem and words, and writes nothing") {
  Target target;
  for (const auto& rows : {bodies(), append_headers(), cloud_events()}) {
    for (const Row& row : rows) target.check(row);
  }
}

}  // namespace
}  // namespace vouch::tests
