// LinkState: whether the brokers can be reached, and serve this client, as one client of librdkafka
// tells it. [any-thread]
#pragma once

#include <librdkafka/rdkafka.h>

#include <mutex>
#include <string>

#include "options.h"
#include "outage.h"
#include "vouch/host_services.h"
#include "vouch/types.h"

namespace vouch::kafka {

class LinkState {
 public:
  /// `name` of the client, for log and metrics; of the options, what is told to people and where
  /// connections go; `outage` hears of what it is told. `owner` is whose client it is, for that
  /// one's own callbacks. References must outlive it.
  LinkState(std::string name, const Options& options, Outage& outage, HostServices& services,
            void* owner);
  [[nodiscard]] void* owner() const { return owner_; }

  /// Makes `conf` tell this object, which must outlive the client.
  void listen(rd_kafka_conf_t* conf);

  enum class Link : std::uint8_t { unknown, up, down };
  [[nodiscard]] Link link() const;
  [[nodiscard]] Health health() const;
  /// An acknowledgement or an answer came: the brokers are there.
  void works();
  /// The brokers are there, and serve this client nothing.
  void refused(const std::string& why);
  /// They do again.
  void accepted();

  static void on_error(rd_kafka_t* client, int error, const char* reason, void* self);
  static int on_statistics(rd_kafka_t* client, char* json, std::size_t size, void* self);
  static int on_resolve(const char* node, const char* service, const addrinfo* hints,
                        addrinfo** found, void* self);
  static void on_log(const rd_kafka_t* client, int level, const char* facility, const char* text);

 private:
  void down(const std::string& why);
  void note(const std::string& why);
  void read_statistics(std::string_view json);

  const std::string name_;
  const std::string servers_;
  const Redirects& redirects_;
  void* const owner_;
  Outage& outage_;
  HostServices& services_;
  Gauge& brokers_up_;
  Gauge& queued_;
  Gauge& sent_bytes_;
  Gauge& received_bytes_;
  Gauge& round_trip_;

  mutable std::mutex mutex_;
  Link link_ = Link::unknown;
  std::string reason_ = "not connected yet";
  std::string refused_;  ///< why they serve nothing; empty when they do
};

}  // namespace vouch::kafka
