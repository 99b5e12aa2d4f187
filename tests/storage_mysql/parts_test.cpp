// The parts that need no server: settings, addresses, cursors, names of locks, sizes of statements.
#include <catch2/catch.hpp>

#include "errors.h"
#include "feed_cursor.h"
#include "lock_names.h"
#include "page_size.h"
#include "server.h"
#include "server_uri.h"
#include "size_classes.h"
#include "vouch/testkit/test_services.h"

namespace vouch::mysql::test {
namespace {

class Problems final : public SettingProblems {
 public:
  void problem(std::string_view key, std::string_view message) override {
    found.push_back(std::string(key) + " " + std::string(message));
  }
  std::vector<std::string> found;
};

std::vector<std::string> problems_of(std::vector<values::GivenSetting> given) {
  Problems problems;
  validate_settings(testkit::make_settings(kSettings, std::move(given)), problems);
  return problems.found;
}

}  // namespace

TEST_CASE("A server's URI gives its parts, percent-encoded ones decoded") {
  const auto uri = parse_server_uri("mysql://us%40er:p%3Bw%3D%2F%23:x@[::1]:3307/sh%20op");
  REQUIRE(uri.ok());
  CHECK(uri->user == "us@er");
  CHECK(uri->password == "p;w=/#:x");
  CHECK(uri->host == "::1");
  CHECK(uri->port == 3307);
  CHECK(uri->database == "sh op");
  const auto least = parse_server_uri("mariadb://db");
  REQUIRE(least.ok());
  CHECK(least->host == "db");
  CHECK(least->port == 0);
  CHECK(least->database.empty());
}

TEST_CASE("A malformed URI is refused without repeating it") {
  for (const char* text :
       {"postgresql://u:s3cret@h/d", "mysql://u:s3cret@h:0/d", "mysql://u:s3cret@h:99999/d",
        "mysql://u:s3cret%zz@h/d", "mysql://u:s3cret%4@h/d", "mysql://u:s3cret@[::1/d",
        "mysql://u:s3cret@h/d?ssl=1", "mysql://u:s3cret@h/d/e", "u:s3cret@h"}) {
    CAPTURE(text);
    const auto uri = parse_server_uri(text);
    CHECK_FALSE(uri.ok());
    CHECK(uri.status().message().find("s3cret") == std::string::npos);
  }
}

TEST_CASE("Settings that contradict each other are told by key") {
  using Lines = std::vector<std::string>;
  CHECK(problems_of({{"uri", "mysql://u:p@h/d"}}).empty());
  CHECK(problems_of({{"user", "u"}, {"database", "d"}, {"socket", "/run/s"}}).empty());
  CHECK(problems_of({{"uri", "mysql://h"}}).size() == 2);
  CHECK(problems_of({}).size() == 2);
  CHECK(problems_of({{"uri", "mysql://u@h/d"}, {"tls", "verify_ca"}}) ==
        Lines{"tls_ca is needed to verify the server's certificate"});
  CHECK(problems_of({{"uri", "mysql://u@h/d"}, {"tls_ca", "/ca.pem"}}).size() == 1);
  CHECK(problems_of({{"uri", "mysql://u@h/d"}, {"socket", "/run/s"}, {"port", "1"}}).size() == 1);
}

TEST_CASE("Separate settings override the URI's parts") {
  const Options options = options_from(testkit::make_settings(
      kSettings, {{"uri", "mysql://u:p@h:1/d"}, {"password", "other"}, {"port", "2"}}));
  CHECK(options.user == "u");
  CHECK(options.password == "other");
  CHECK(options.port == 2);
  CHECK(options.place() == "database d on h:2");
}

TEST_CASE("A feed cursor comes back as it was, and nothing else is one") {
  FeedCursor cursor;
  cursor.places = {{0, 7}, {3, std::uint64_t{1} << 40U}};
  const auto again = FeedCursor::decode(cursor.encode());
  REQUIRE(again.ok());
  CHECK(again->places == cursor.places);
  CHECK(FeedCursor{}.encode().bytes.empty());
  std::string bytes = cursor.encode().bytes;
  CHECK_FALSE(FeedCursor::decode({bytes + "x"}).ok());
  CHECK_FALSE(FeedCursor::decode({bytes.substr(0, bytes.size() - 1)}).ok());
  CHECK_FALSE(FeedCursor::decode({std::string("\1", 1)}).ok());
  CHECK_FALSE(FeedCursor::decode({std::string("\1\0\0\0\0\0\0\0\0\0\0\0\0", 13)}).ok());
  const std::string lane = bytes.substr(1, 12);
  CHECK_FALSE(FeedCursor::decode({std::string(1, '\1') + lane + lane}).ok());
  FeedCursor behind = cursor;
  behind.places[3] += 1;
  CHECK(behind.reached(cursor));
  CHECK_FALSE(cursor.reached(behind));
}

TEST_CASE("Names of locks differ by database, store and number, and fit") {
  const LockNames shop("db", "shop");
  CHECK(shop.lane({1}) != LockNames("db", "other").lane({1}));
  CHECK(shop.lane({1}) != LockNames("db2", "shop").lane({1}));
  CHECK(shop.lane({1}) != shop.partition({1}));
  CHECK(shop.lane({4'294'967'295}).size() <= 64);
  CHECK(LockNames("ab", "c").lane({1}) != LockNames("a", "bc").lane({1}));
  CHECK(LockNames::schema("db") != LockNames::schema("db2"));
}

TEST_CASE("Any number of values runs on classes of statements") {
  CHECK(full_class(100, 512) == 64);
  CHECK(full_class(4'000, 512) == 512);
  CHECK(holding_class(100, 256) == 128);
  CHECK(holding_class(300, 256) == 256);
  CHECK(repeated("?", 3, ",") == "?,?,?");
}

TEST_CASE("Pages of large events are small, of small ones large") {
  PageSize small(128, 4'096);
  for (int i = 0; i < 4; ++i) small.saw(small.rows(), std::uint64_t{small.rows()} * 100);
  CHECK(small.rows() == 4'096);
  PageSize large(128, 4'096);
  large.saw(128, std::uint64_t{128} << 20U);
  CHECK(large.rows() <= 4);
}

TEST_CASE("An error of the server is told with the place and what to do, without the password") {
  Options options;
  options.user = "vouch";
  options.password = "s3cret";
  options.database = "shop";
  for (const unsigned code :
       {1021U, 1040U, 1044U, 1045U, 1049U, 1114U, 1205U, 1290U, 2003U, 2013U, 2026U, 9'999U}) {
    CAPTURE(code);
    const Status status = status_of(SqlError(code, "as the server says"), options);
    CHECK(status.message().find("shop") != std::string::npos);
    CHECK(status.message().find("as the server says") != std::string::npos);
    CHECK(status.message().find('{') == std::string::npos);
    CHECK(status.message().find("s3cret") == std::string::npos);
  }
  CHECK(status_of(SqlError(1213, ""), options).code() == StatusCode::contended);
  CHECK(status_of(SqlError(1114, ""), options).message().find("free some space") !=
        std::string::npos);
  CHECK(breaks_session(SqlError(2013, "")));
  CHECK_FALSE(breaks_session(SqlError(1205, "")));
}

TEST_CASE("MySQL's sessions are greeted without what only MariaDB knows") {
  const Options options;
  const auto text = [&](const char* version, SessionRole role) {
    std::string all;
    for (const auto& line : Server::from(version).greeting(role, options)) all += line + ";";
    return all;
  };
  CHECK(text("8.0.36", SessionRole::lane).find("idle_transaction") == std::string::npos);
  CHECK(text("8.0.36", SessionRole::lane).find("wait_timeout = 60") != std::string::npos);
  CHECK(text("10.11.2-MariaDB", SessionRole::lane).find("idle_transaction_timeout = 60") !=
        std::string::npos);
  CHECK(text("8.0.36", SessionRole::dirty).find("READ UNCOMMITTED") != std::string::npos);
}

}  // namespace vouch::mysql::test
