// Connection: one connection to the broker by one Paho client at a time. A lost connection gets a
// new client, so that nothing of the old one is sent behind our back; sending again is the owner's
// work. The session is always clean: what matters is in the ledger of the store, not at the broker.
//
// `connect`, `drop`, `client`: the owner's thread. `health`, the handlers: [any-thread].
#pragma once

#include <mqtt/async_client.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>

#include "options.h"
#include "vouch/host_services.h"
#include "vouch/types.h"

namespace vouch::mqtt_broker {

class Connection {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// What the broker said when it accepted (MQTT 5); for 3.1.1 what it need not say.
  struct Limits {
    std::uint32_t receive_maximum = 65'535;
    std::uint32_t maximum_packet = 268'435'455;
  };

  /// `role` is "pub" or "sub". `lost` is called when an established connection breaks, on a thread
  /// of Paho's, which must not be kept.
  Connection(const Options& options, std::string role, HostServices& services,
             std::function<void()> lost);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Called for each message, on a thread of Paho's. Before the first connect.
  void on_message(std::function<void(const mqtt::message&)> handler) {
    message_ = std::move(handler);
  }
  /// The will and the greeting are this connection's. Before the first connect.
  void announce(const std::string& status_topic) { status_topic_ = status_topic; }

  /// Tries once, for connect_timeout at most, in slices between which `give_up` is asked. Then, or
  /// when it fails, `next_try` says when to try again.
  bool connect(const std::function<bool()>& give_up);
  [[nodiscard]] Time next_try() const { return next_try_; }
  /// Ends the connection; politely if it stands.
  void drop();

  /// Pre: `connect` returned true and `drop` was not called since.
  mqtt::async_client& client() { return *client_; }
  [[nodiscard]] bool broken() const { return broken_.load(); }
  [[nodiscard]] bool connected() const { return connected_.load() && !broken_.load(); }
  [[nodiscard]] Limits limits() const { return limits_; }
  /// Why the broker ended the connection, if it said so (MQTT 5), since the last connect.
  [[nodiscard]] std::optional<mqtt::ReasonCode> end_reason() const;

  [[nodiscard]] Health health() const;

 private:
  mqtt::connect_options connect_options() const;
  void failed(const std::string& why);
  void wait_longer();
  void read_limits(const mqtt::token& token);

  const Options& options_;
  const std::string role_;
  HostServices& services_;
  const std::function<void()> lost_;
  std::function<void(const mqtt::message&)> message_;
  std::string status_topic_;
  Counter& reconnects_;
  Gauge& connected_gauge_;

  std::unique_ptr<mqtt::async_client> client_;
  std::atomic<bool> connected_{false};
  std::atomic<bool> broken_{false};
  Limits limits_;
  Time next_try_{};
  Time connected_at_{};
  std::chrono::milliseconds pause_{0};
  std::minstd_rand random_{std::random_device{}()};
  std::uint64_t connects_ = 0;

  mutable std::mutex mutex_;  ///< guards what follows
  std::string problem_ = "not connected yet";
  bool told_ = false;  ///< the problem stands in the log
  std::optional<mqtt::ReasonCode> end_reason_;
};

}  // namespace vouch::mqtt_broker
