// The conformance suite against the storage-sqlite plugin, loaded as a host loads it.
#include <stdlib.h>

#include <filesystem>
#include <vector>

#include "storage_fixture.h"
#include "vouch/conformance/plugin_library.h"
#include "vouch/testkit/test_services.h"

namespace vouch::tests {
namespace {

using conformance::PluginLibrary;
using conformance::PluginObject;
namespace fs = std::filesystem;

const PluginLibrary& sqlite_library() {
  static const PluginLibrary library(VOUCH_TEST_PLUGIN_DIRECTORY "/storage-sqlite.so",
                                     PluginKind::storage);
  return library;
}

/// A directory of its own, removed at the end.
class Scratch {
 public:
  Scratch() {
    std::string path = (fs::temp_directory_path() / "vouch-conformance-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("no temporary directory");
    path_ = path;
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

class SqliteUnderTest final : public conformance::StorageUnderTest {
 public:
  SqliteUnderTest() { start(); }
  ~SqliteUnderTest() override {
    for (const auto& host : hosts_) (*host)->close();
  }

  Storage& storage() override { return **hosts_.back(); }

  void reopen() override {
    (*hosts_.back())->close();
    start();
  }

  /// Goes on with a copy of the files as they are: what a killed process leaves behind. The old
  /// host lives on beside it, with files that nobody looks at any more.
  void crash() override {
    const fs::path before = data_;
    data_ = scratch_.path() / ("after-crash-" + std::to_string(hosts_.size()));
    fs::create_directory(data_);
    for (const auto& file : fs::directory_iterator(before)) {
      // The shared-memory index is rebuilt from the log, as after a kill.
      if (file.is_regular_file() && file.path().extension() != ".db-shm") {
        fs::copy_file(file.path(), data_ / file.path().filename());
      }
    }
    start();
  }

 private:
  void start() {
    fs::create_directory(data_);
    const auto settings = testkit::make_settings(sqlite_library().settings(),
                                                 {{"path", (data_ / "store.db").string()}});
    hosts_.push_back(
        std::make_unique<PluginObject<Storage>>(sqlite_library(), services_, settings));
    Storage& host = **hosts_.back();
    for (const Status& status : {host.open(), host.check(), host.migrate(identity())}) {
      INFO(status.to_string());
      REQUIRE(status.ok());
    }
  }

  Scratch scratch_;
  fs::path data_ = scratch_.path() / "data";
  testkit::TestServices services_;
  std::vector<std::unique_ptr<PluginObject<Storage>>> hosts_;  ///< the last one lives
};

const StorageTests kSqlite("storage-sqlite", [] { return std::make_unique<SqliteUnderTest>(); });

}  // namespace
}  // namespace vouch::tests
