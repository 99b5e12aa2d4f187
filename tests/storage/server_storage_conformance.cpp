// The conformance suite against storage-postgres and storage-mysql, each loaded as a host loads it,
// on the servers that VOUCH_TEST_POSTGRES and VOUCH_TEST_MYSQL name; each case in a database of its
// own.
#include <vector>

#include "server_database.h"
#include "storage_fixture.h"

namespace vouch::tests {
namespace {

using MakeDatabase = std::unique_ptr<ServerDatabase> (*)();

class ServerUnderTest final : public conformance::StorageUnderTest {
 public:
  explicit ServerUnderTest(MakeDatabase make) : database_(make()) {
    if (database_ == nullptr) throw conformance::CaseSkipped("there is no server");
    start();
  }

  Storage& storage() override { return hosts_.back()->storage(); }

  void reopen() override {
    storage().close();
    start();
  }

  void crash() override {
    database_->crash(*hosts_.back());
    start();
  }

 private:
  void start() {
    hosts_.push_back(database_->host());
    must(storage().open());
    must(storage().check());
    must(storage().migrate(identity()));
  }

  static void must(const Status& status) {
    INFO(status.to_string());
    REQUIRE(status.ok());
  }

  std::unique_ptr<ServerDatabase> database_;        // dropped after the hosts closed
  std::vector<std::unique_ptr<ServerHost>> hosts_;  ///< the last one lives
};

const StorageTests kPostgres("storage-postgres",
                             [] { return std::make_unique<ServerUnderTest>(postgres_database); });
const StorageTests kMysql("storage-mysql",
                          [] { return std::make_unique<ServerUnderTest>(mysql_database); });

}  // namespace
}  // namespace vouch::tests
