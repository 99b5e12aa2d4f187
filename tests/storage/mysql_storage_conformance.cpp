// The conformance suite against the storage-mysql plugin, loaded as a host loads it, on the server
// that VOUCH_TEST_MYSQL names; each case in a database of its own. A host reaches the server
// through a proxy, so that its death can be shown to the server as the kernel shows it.
#include <chrono>
#include <cstdio>
#include <functional>
#include <optional>
#include <thread>
#include <vector>

#include "mysql_server.h"
#include "storage_fixture.h"
#include "tcp_proxy.h"
#include "vouch/conformance/plugin_library.h"
#include "vouch/testkit/test_services.h"

namespace vouch::tests {
namespace {

using conformance::PluginLibrary;
using conformance::PluginObject;

const PluginLibrary& mysql_library() {
  static const PluginLibrary library(VOUCH_TEST_PLUGIN_DIRECTORY "/storage-mysql.so",
                                     PluginKind::storage);
  return library;
}

MysqlAddress mysql_or_skip() {
  const std::optional<MysqlAddress> address = MysqlAddress::of_environment();
  if (address) return *address;
  std::puts(kNoMysql);
  throw conformance::CaseSkipped("there is no server");
}

class MysqlUnderTest final : public conformance::StorageUnderTest {
 public:
  MysqlUnderTest() : address_(mysql_or_skip()), database_(address_) { start(); }
  ~MysqlUnderTest() override {
    for (const auto& host : hosts_) host->storage->close();
  }

  Storage& storage() override { return *hosts_.back()->storage; }

  void reopen() override {
    hosts_.back()->storage->close();
    start();
  }

  void crash() override {
    hosts_.back()->network.refuse(true);
    hosts_.back()->network.cut();
    wait_until_noticed();
    start();
  }

 private:
  /// The server takes a moment to notice that its sessions are gone; until then their transactions
  /// are in progress.
  void wait_until_noticed() {
    MysqlSession admin(address_);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (admin.run("SELECT COUNT(*) FROM information_schema.processlist WHERE db = '" +
                     database_.name() + "'") != "0") {
      REQUIRE(std::chrono::steady_clock::now() < deadline);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  /// A host with its own way to the server.
  struct Host {
    explicit Host(const MysqlAddress& address) : network(address.host, address.port) {}
    TcpProxy network;
    std::unique_ptr<PluginObject<Storage>> object;
    Storage* storage = nullptr;
  };

  void start() {
    auto host = std::make_unique<Host>(address_);
    MysqlAddress through = address_;
    through.host = "127.0.0.1";
    through.port = host->network.port();
    const auto settings =
        testkit::make_settings(mysql_library().settings(),
                               {{"uri", through.uri(database_.name())}, {"lock_timeout", "1s"}});
    host->object = std::make_unique<PluginObject<Storage>>(mysql_library(), services_, settings);
    host->storage = &**host->object;
    hosts_.push_back(std::move(host));
    Storage& storage = *hosts_.back()->storage;
    for (const auto& step :
         {std::function<Status()>([&] { return storage.open(); }),
          std::function<Status()>([&] { return storage.check(); }),
          std::function<Status()>([&] { return storage.migrate(identity()); })}) {
      const Status status = step();
      INFO(status.to_string());
      REQUIRE(status.ok());
    }
  }

  MysqlAddress address_;
  ScratchDatabase database_;  // dropped after the hosts closed
  testkit::TestServices services_;
  std::vector<std::unique_ptr<Host>> hosts_;  ///< the last one lives
};

const StorageTests kMysql("storage-mysql", [] { return std::make_unique<MysqlUnderTest>(); });

}  // namespace
}  // namespace vouch::tests
