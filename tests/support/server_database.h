// ServerDatabase: a database of a test's own on a real server, and hosts that keep a store in it,
// each with the plugin as a host loads it. A host reaches the server through a proxy of its own, so
// that its death can be shown to the server as the kernel shows it. Made by `postgres_database()`
// and `mysql_database()`.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tcp_proxy.h"
#include "vouch/conformance/plugin_library.h"
#include "vouch/event.h"
#include "vouch/storage.h"
#include "vouch/testkit/test_services.h"

namespace vouch::tests {

/// One host's storage, not opened yet. [any-thread], as the storage in it.
class ServerHost {
 public:
  /// `port` of 127.0.0.1 in, `host`:`server_port` out; `set_up` gives the settings for a port.
  template <typename SetUp>
  ServerHost(const conformance::PluginLibrary& library, const std::string& host,
             std::uint16_t server_port, const SetUp& set_up)
      : network_(host, server_port),
        settings_(testkit::make_settings(library.settings(), set_up(network_.port()))),
        object_(library, services_, settings_) {}
  ServerHost(const ServerHost&) = delete;
  ServerHost& operator=(const ServerHost&) = delete;
  ~ServerHost() { object_->close(); }

  Storage& storage() { return *object_; }
  /// Closes its sessions without a word, and lets it open no more.
  void cut() {
    network_.refuse(true);
    network_.cut();
  }

 private:
  TcpProxy network_;
  testkit::TestServices services_;
  values::SettingValues settings_;
  conformance::PluginObject<Storage> object_;
};

/// Gone with its object; hosts must be gone before. [any-thread]
class ServerDatabase {
 public:
  ServerDatabase() = default;
  ServerDatabase(const ServerDatabase&) = delete;
  ServerDatabase& operator=(const ServerDatabase&) = delete;
  virtual ~ServerDatabase() = default;

  /// One more host; `more` settings of its plugin.
  virtual std::unique_ptr<ServerHost> host(const std::vector<values::GivenSetting>& more = {}) = 0;
  /// Ends a host's sessions as a killed process does.
  virtual void crash(ServerHost& host) = 0;
  /// Every committed event, a stream's in version order, asked of the server without the plugin.
  /// Id, stream, version and data alone.
  virtual std::vector<Event> events() = 0;
  /// How many deliveries are committed and not marked.
  virtual std::uint64_t undelivered() = 0;
};

/// On the server of VOUCH_TEST_POSTGRES; null when there is none, and the reason was printed.
std::unique_ptr<ServerDatabase> postgres_database();
/// On the server of VOUCH_TEST_MYSQL, likewise.
std::unique_ptr<ServerDatabase> mysql_database();

/// An event from "stream version id data", the last two in hexadecimal digits.
Event event_of_row(const std::string& row);

}  // namespace vouch::tests
