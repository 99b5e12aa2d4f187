// Producer: one producer of librdkafka and the thread that hears its delivery reports. Keeps every
// record until its report, so that a producer that broke for good ("fatal") is replaced and goes on
// with what waited, in order. [any-thread]
//
// Deadlines: when one passes, everything that is queued and not on its way is taken out of the
// producer, and only then `unknown` is told. So what the host repeats stands behind what may still
// arrive, and the first occurrences of a key stay in order, whatever the brokers do later.
#pragma once

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "acked_offsets.h"
#include "client_conf.h"
#include "gates.h"
#include "link_state.h"
#include "options.h"
#include "record.h"
#include "vouch/broker.h"
#include "vouch/host_services.h"
#include "vouch/messaging/publish_batch.h"

namespace vouch::kafka {

class Producer {
 public:
  using Batch = std::shared_ptr<messaging::PublishBatch>;
  using Time = std::chrono::steady_clock::time_point;

  /// All references must outlive it. `too_large` is called with the topic when brokers refuse a
  /// whole request of several messages as too large, which says nothing about each of them.
  Producer(const Options& options, ClientKind kind, Outage& outage, HostServices& services,
           std::function<void(const std::string&)> too_large);
  ~Producer();
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  /// Errors: invalid_argument with librdkafka's words.
  Status start();
  /// What waits gets `unknown`. Idempotent.
  void stop();

  /// Learns about a topic before its first message, which librdkafka 2.0 otherwise sends up to a
  /// second late.
  void learn(const std::string& topic);

  /// Whether so much more may wait.
  [[nodiscard]] bool has_room(std::size_t messages, std::uint64_t bytes) const;
  /// Sends the messages of `places` (indices of `messages`, which `batch` knows them by).
  /// Errors: unavailable; then nothing was taken.
  Status send(std::span<const Message> messages, const std::vector<std::size_t>& places,
              const Batch& batch, Time deadline);

  [[nodiscard]] const LinkState& link() const { return state_; }
  /// For tests: what librdkafka does when it meets an error it can't go on after.
  void fail_for_good();

 private:
  struct DestroyClient {
    void operator()(rd_kafka_t* client) const { rd_kafka_destroy(client); }
  };
  using Client = std::unique_ptr<rd_kafka_t, DestroyClient>;

  Result<Client> make_client();
  static void on_report(rd_kafka_t* client, const rd_kafka_message_t* report, void* self);
  void reported(rd_kafka_t* client, const rd_kafka_message_t& report);
  void drop(std::uint64_t number, PublishOutcome outcome, const Status& why);
  bool enter(std::uint64_t number, Record& record);
  void meet(const std::string& topic);
  void send_waiting();
  void send_again(std::uint64_t number, Record& record);
  void prove(const std::string& topic, std::int32_t partition);
  [[nodiscard]] Record* find(std::uint64_t number);
  void run();
  void wake();
  [[nodiscard]] std::chrono::milliseconds patience();
  [[nodiscard]] bool sleeps_past(Time deadline);
  void ask_about_topics();
  void expire();
  void drop_unwanted();
  /// Looks whether the producer can go on, and replaces one that can't.
  void look_after(Time now);
  void replace();

  const Options& options_;
  const ClientKind kind_;
  HostServices& services_;
  const std::function<void(const std::string&)> too_large_;
  LinkState state_;
  Counter& replaced_;

  std::shared_mutex
      client_mutex_;  ///< held shared while the client is used, exclusively to replace it
  Client client_;

  mutable std::mutex mutex_;  ///< guards what follows; taken after `client_mutex_`
  std::map<std::uint64_t, Record> records_;
  std::uint64_t next_ = 1;
  std::uint64_t bytes_ = 0;
  std::multimap<Time, Batch> deadlines_;
  Gates gates_;                          ///< also knows the topics that this client has met
  std::vector<std::string> new_topics_;  ///< not asked about yet
  Time sleeps_until_ = Time::min();      ///< the thread, waiting for reports; min: it was woken

  std::atomic<bool> replacing_{false};
  std::atomic<bool> running_{false};
  Time replaced_at_{};                          ///< of the thread, as the next ones
  std::chrono::milliseconds replace_pause_{0};  ///< 0: the producer is not one of a series
  AckedOffsets acked_;
  bool distrusted_ = false;  ///< it acknowledged what was not kept
  std::thread thread_;
};

}  // namespace vouch::kafka
