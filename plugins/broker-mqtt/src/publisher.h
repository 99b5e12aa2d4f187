// Publisher: messages on their way to the broker, in the order in which they were given, over one
// connection that it makes again whenever it breaks. One thread sends; what is sent stays in a
// window until it is acknowledged, and is sent again, in order, after the connection broke.
// [any-thread]
//
//   the connection breaks …           then
//   before the broker has a message   it is sent again
//   after, before its acknowledgement it is sent again, and is there twice
//   and its deadline passes           it is told `unknown`, and is not sent again
#pragma once

#include <mqtt/async_client.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <thread>

#include "connection.h"
#include "options.h"
#include "vouch/broker.h"
#include "vouch/host_services.h"
#include "vouch/messaging/publish_batch.h"

namespace vouch::mqtt_broker {

class Publisher {
 public:
  Publisher(const Options& options, HostServices& services);
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  void start();
  /// What waits gets `unknown`. Idempotent.
  void stop();

  /// As Broker::publish.
  Status publish(std::span<const Message> messages, std::chrono::milliseconds deadline,
                 PublishSink& sink);

  [[nodiscard]] Health health() const { return connection_.health(); }

 private:
  using Time = std::chrono::steady_clock::time_point;
  using Batch = std::shared_ptr<messaging::PublishBatch>;

  struct Outgoing {
    mqtt::const_message_ptr message;
    Batch batch;
    std::size_t index;
    std::uint64_t bytes;
    std::uint32_t losses = 0;  ///< connections that broke while it was the first in the window
    Time sent{};
    bool over = false;  ///< in the window: acknowledged or refused
  };

  /// Hears of one connection's acknowledgements, on Paho's thread. Outlives the connection's
  /// client; what an older client says is not heard.
  class Listener final : public mqtt::iaction_listener {
   public:
    explicit Listener(Publisher& publisher) : publisher_(publisher) {}
    void on_success(const mqtt::token& token) override;
    void on_failure(const mqtt::token& token) override;

   private:
    Publisher& publisher_;
  };

  [[nodiscard]] mqtt::const_message_ptr made(const Message& message) const;
  [[nodiscard]] Status refused(const Message& message) const;
  void run();
  void connect(std::unique_lock<std::mutex>& lock);
  void send(std::unique_lock<std::mutex>& lock);
  void take_back(std::unique_lock<std::mutex>& lock);
  void expire(std::unique_lock<std::mutex>& lock);
  void nudge(std::unique_lock<std::mutex>& lock);
  void acknowledged(std::uint64_t number, bool taken, int reason);
  void drop_finished();
  void release(const Outgoing& outgoing);
  [[nodiscard]] std::size_t window() const;
  [[nodiscard]] Time next_event() const;

  const Options& options_;
  Gauge& in_flight_;
  Counter& nudges_;
  Histogram& latency_;
  Listener listener_{*this};
  Connection connection_;

  mutable std::mutex mutex_;  ///< guards what follows
  std::condition_variable changed_;
  std::deque<Outgoing> waiting_;
  std::deque<Outgoing> window_;  ///< sent; the first has number `first_`
  std::uint64_t first_ = 1;
  std::size_t open_ = 0;  ///< in the window and not over
  std::multimap<Time, Batch> deadlines_;
  std::size_t messages_ = 0;  ///< taken and without an outcome of the broker's
  std::uint64_t bytes_ = 0;
  std::uint32_t maximum_packet_ = 268'435'455;  ///< that the broker takes
  Time last_sign_{};                            ///< when something was sent or acknowledged
  std::uint32_t nudged_ = 0;                    ///< times since the last sign
  bool running_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace vouch::mqtt_broker
