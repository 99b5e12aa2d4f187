#include "server_database.h"

#include <cstdio>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "mysql_server.h"
#include "postgres_server.h"

namespace vouch::tests {
namespace {

using conformance::PluginLibrary;

std::string from_hex(const std::string& digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

class PostgresDatabase final : public ServerDatabase {
 public:
  explicit PostgresDatabase(const PostgresAddress& address) : address_(address), schema_(address) {}

  std::unique_ptr<ServerHost> host(const std::vector<values::GivenSetting>& more) override {
    static const PluginLibrary library(VOUCH_TEST_PLUGIN_DIRECTORY "/storage-postgres.so",
                                       PluginKind::storage);
    return std::make_unique<ServerHost>(
        library, address_.host, address_.port, [this, &more](std::uint16_t port) {
          PostgresAddress through = address_;
          through.host = "127.0.0.1";
          through.port = port;
          std::vector<values::GivenSetting> settings{
              {"uri", through.uri()}, {"schema", schema_.name()}, {"lock_timeout", "500ms"}};
          settings.insert(settings.end(), more.begin(), more.end());
          return settings;
        });
  }

  void crash(ServerHost& host) override { host.cut(); }

  std::vector<Event> events() override {
    std::istringstream rows(PostgresSession(address_).run(
        "SELECT string_agg(concat_ws(' ', stream, version, encode(id, 'hex'), encode(data, "
        "'hex')), E'\\n' ORDER BY stream, version) FROM \"" +
        schema_.name() + "\".events"));
    std::vector<Event> events;
    for (std::string row; std::getline(rows, row);) events.push_back(event_of_row(row));
    return events;
  }

  std::uint64_t undelivered() override {
    return std::stoull(PostgresSession(address_).run("SELECT count(*) FROM \"" + schema_.name() +
                                                     "\".deliveries WHERE delivered_at IS NULL"));
  }

 private:
  PostgresAddress address_;
  ScratchSchema schema_;
};

class MysqlDatabase final : public ServerDatabase {
 public:
  explicit MysqlDatabase(const MysqlAddress& address) : address_(address), database_(address) {}

  std::unique_ptr<ServerHost> host(const std::vector<values::GivenSetting>& more) override {
    static const PluginLibrary library(VOUCH_TEST_PLUGIN_DIRECTORY "/storage-mysql.so",
                                       PluginKind::storage);
    return std::make_unique<ServerHost>(
        library, address_.host, address_.port, [this, &more](std::uint16_t port) {
          MysqlAddress through = address_;
          through.host = "127.0.0.1";
          through.port = port;
          std::vector<values::GivenSetting> settings{{"uri", through.uri(database_.name())},
                                                     {"lock_timeout", "1s"}};
          settings.insert(settings.end(), more.begin(), more.end());
          return settings;
        });
  }

  /// The server takes a moment to notice that sessions are gone; until then their transactions are
  /// in progress. Pre: no other host runs.
  void crash(ServerHost& host) override {
    host.cut();
    MysqlSession admin(address_);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (admin.run("SELECT COUNT(*) FROM information_schema.processlist WHERE db = '" +
                     database_.name() + "'") != "0") {
      if (std::chrono::steady_clock::now() > deadline) {
        throw std::runtime_error("the server keeps sessions whose connections are gone");
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  std::vector<Event> events() override {
    MysqlSession session(address_, database_.name());
    std::vector<Event> events;
    for (const std::string& row : session.column(
             "SELECT CONCAT_WS(' ', CONVERT(stream USING utf8mb4), version, HEX(id), HEX(data)) "
             "FROM vouch_events ORDER BY stream, version")) {
      events.push_back(event_of_row(row));
    }
    return events;
  }

  std::uint64_t undelivered() override {
    return std::stoull(MysqlSession(address_, database_.name())
                           .run("SELECT COUNT(*) FROM vouch_deliveries "
                                "WHERE delivered_at IS NULL"));
  }

 private:
  MysqlAddress address_;
  ScratchDatabase database_;
};

}  // namespace

Event event_of_row(const std::string& row) {
  std::istringstream words(row);
  std::string stream;
  std::string id;
  std::string data;
  Event event;
  if (!(words >> stream >> event.version.value >> id)) {
    throw std::runtime_error("not a row of an event: " + row);
  }
  words >> data;
  event.stream = StreamName::unchecked(stream);
  event.id = EventId::from_bytes(from_hex(id)).value();
  event.data = from_hex(data);
  return event;
}

std::unique_ptr<ServerDatabase> postgres_database() {
  const auto address = PostgresAddress::of_environment();
  if (address) return std::make_unique<PostgresDatabase>(*address);
  std::puts(kNoPostgres);
  return nullptr;
}

std::unique_ptr<ServerDatabase> mysql_database() {
  const auto address = MysqlAddress::of_environment();
  if (address) return std::make_unique<MysqlDatabase>(*address);
  std::puts(kNoMysql);
  return nullptr;
}

}  // namespace vouch::tests
