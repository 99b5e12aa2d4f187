// What the tests of storage-mysql share: a host's storage on a server, appends in a line,
// waiting for what others do. One thread, unless a test says otherwise.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "mysql_server.h"
#include "mysql_storage.h"
#include "tcp_proxy.h"
#include "vouch/testkit/test_services.h"

namespace vouch::mysql::test {

using tests::MysqlAddress;
using tests::MysqlSession;
using tests::PrivateMysql;
using tests::ScratchDatabase;
using tests::TcpProxy;

inline constexpr std::uint32_t kPartitions = 4;

/// More settings than uri.
using MoreSettings = std::vector<values::GivenSetting>;

/// One host's storage. The constructor does no I/O.
class Host {
 public:
  Host(const MysqlAddress& address, const std::string& database, MoreSettings more = {});
  MysqlStorage& operator*() { return storage_; }
  MysqlStorage* operator->() { return &storage_; }
  testkit::TestServices& services() { return services_; }

  /// Opens, checks and migrates; the first thing that is wrong.
  Status start();
  /// `start`, which must succeed; throws std::runtime_error.
  Host& started();
  /// Throws std::runtime_error.
  std::unique_ptr<Lane> lane(std::uint32_t number = 0);
  Verdict resolve(const Token& token);
  /// Everything that is ready.
  std::vector<Delivery> ready();
  Version head(const std::string& stream);

 private:
  testkit::TestServices services_;
  MysqlStorage storage_;
};

/// The server of VOUCH_TEST_MYSQL with a database of the test's own, or nothing: then the reason
/// was printed, and the test ends.
struct SharedServer {
  explicit SharedServer(const MysqlAddress& where) : address(where), database(where) {}
  MysqlAddress address;
  ScratchDatabase database;
  [[nodiscard]] std::unique_ptr<Host> host(MoreSettings more = {}) const {
    return std::make_unique<Host>(address, database.name(), std::move(more));
  }
};
std::unique_ptr<SharedServer> shared_server();

/// Whether a private server can not be had; then the reason was printed, and the test ends.
bool no_programs();

/// The proxy in front of a server, and the way through it.
struct Detour {
  explicit Detour(const MysqlAddress& server) : proxy(server.host, server.port), address(server) {
    address.host = "127.0.0.1";
    address.port = proxy.port();
  }
  TcpProxy proxy;
  MysqlAddress address;
};

/// An id that no other call in this process gives.
EventId fresh_id();
Append append_to(const std::string& stream, std::size_t events = 1,
                 ExpectedVersion expected = ExpectedVersion::any());
/// Stages one append; throws std::runtime_error unless it was staged.
StagedGroup stage_one(Lane& lane, const Append& append);
/// Stages and commits one append; throws std::runtime_error unless it was staged and committed.
StagedGroup commit_one(Lane& lane, const Append& append);

/// Asks until `done` says so, for half a minute at most; returns the last answer.
bool eventually(const std::function<bool()>& done);

}  // namespace vouch::mysql::test
