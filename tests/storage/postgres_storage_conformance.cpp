// The conformance suite against the storage-postgres plugin, loaded as a host loads it, on the
// server that VOUCH_TEST_POSTGRES names; each case in a schema of its own. A host reaches the
// server through a proxy, so that its death can be shown to the server as the kernel shows it.
#include <cstdio>
#include <optional>
#include <vector>

#include "postgres_server.h"
#include "storage_fixture.h"
#include "tcp_proxy.h"
#include "vouch/conformance/plugin_library.h"
#include "vouch/testkit/test_services.h"

namespace vouch::tests {
namespace {

using conformance::PluginLibrary;
using conformance::PluginObject;

const PluginLibrary& postgres_library() {
  static const PluginLibrary library(VOUCH_TEST_PLUGIN_DIRECTORY "/storage-postgres.so",
                                     PluginKind::storage);
  return library;
}

PostgresAddress address_or_skip() {
  const std::optional<PostgresAddress> address = PostgresAddress::of_environment();
  if (address) return *address;
  std::puts(kNoPostgres);
  throw conformance::CaseSkipped("there is no server");
}

class PostgresUnderTest final : public conformance::StorageUnderTest {
 public:
  PostgresUnderTest() : address_(address_or_skip()), schema_(address_) { start(); }
  ~PostgresUnderTest() override {
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
    start();
  }

 private:
  /// A host with its own way to the server.
  struct Host {
    explicit Host(const PostgresAddress& address) : network(address.host, address.port) {}
    TcpProxy network;
    std::unique_ptr<PluginObject<Storage>> object;
    Storage* storage = nullptr;
  };

  void start() {
    auto host = std::make_unique<Host>(address_);
    PostgresAddress through = address_;
    through.host = "127.0.0.1";
    through.port = host->network.port();
    const auto settings = testkit::make_settings(
        postgres_library().settings(),
        {{"uri", through.uri()}, {"schema", schema_.name()}, {"lock_timeout", "500ms"}});
    host->object = std::make_unique<PluginObject<Storage>>(postgres_library(), services_, settings);
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

  PostgresAddress address_;
  ScratchSchema schema_;  // dropped after the hosts closed
  testkit::TestServices services_;
  std::vector<std::unique_ptr<Host>> hosts_;  ///< the last one lives
};

const StorageTests kPostgres("storage-postgres",
                             [] { return std::make_unique<PostgresUnderTest>(); });

}  // namespace
}  // namespace vouch::tests
