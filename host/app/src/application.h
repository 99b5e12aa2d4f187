// Application: the composition root of `vouch serve`. Builds every part in the order in which they
// need each other, and takes them down in reverse.
//
// Threads: `start`, `stop` and destruction on one thread; `begin_drain` and `hurry` from any.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "append/append_service.h"
#include "backends.h"
#include "broker_topics.h"
#include "http/http_server.h"
#include "plugins/call_watch.h"
#include "prove/losing_broker.h"
#include "read/live_feed.h"
#include "read/snapshot_saver.h"
#include "saga/saga.h"
#include "services.h"
#include "stop_limit.h"

namespace vouch::app {

class Application {
 public:
  /// All references must outlive it. Starts nothing. `lost_validation`: the share of the validation
  /// messages that delivery does not hear of, for trials.
  Application(const config::Config& config, plugins::PluginCatalog& catalog,
              observe::Logging& logging, double lost_validation = 0);
  /// Stops at once what still runs.
  ~Application();
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;

  /// Serves when it returned ok. Errors say in words what is wrong; what was started by then is
  /// stopped by `stop`.
  Status start();

  /// Not ready from now on; whatever waits during `start` gives up. From now on the process ends by
  /// itself (70) when a call of a plugin does not return (see StopLimit).
  void begin_drain();

  /// Takes nothing new, finishes what is under way until `deadline`, closes everything. Idempotent.
  void stop(std::chrono::steady_clock::time_point deadline);

  /// Lets a `stop` that is waiting, or comes, wait for nothing more. At most once; never blocks.
  void hurry();

  /// "127.0.0.1:7070", with the port that is bound. Pre: started.
  [[nodiscard]] std::string address() const;

 private:
  /// Passes the end of each transaction on to whom it saves time.
  class EndedTransactions final : public append::TransactionListener {
   public:
    EndedTransactions(saga::Saga& saga, read::LiveFeed& feed) : saga_(saga), feed_(feed) {}
    void written(std::vector<Append> appends, const StagedGroup& staged) override {
      saga_.keep_written(std::move(appends), staged);
    }
    void ended(const Token& token, bool committed) override {
      saga_.transaction_ended(token, committed);
      if (committed) feed_.poke();
    }

   private:
    saga::Saga& saga_;
    read::LiveFeed& feed_;
  };

  Status start_delivery();
  Status start_reading();
  Status start_append();
  Status start_http();
  [[nodiscard]] std::vector<http::ReadinessCheck> readiness();
  [[nodiscard]] std::vector<http::ReadinessCheck> stuck_calls() const;
  [[noreturn]] void end_without_stopping(const std::string& calls);
  [[nodiscard]] std::chrono::steady_clock::time_point limit(
      std::chrono::steady_clock::time_point deadline) const;

  const config::Config& config_;
  observe::Logging& logging_;
  const double lost_validation_;
  Services services_;
  Logger& log_;
  std::atomic<bool> draining_{false};
  std::atomic<bool> hurried_{false};
  std::mutex parts_mutex_;  ///< held while a part that `hurry` uses comes or goes
  std::thread hurrying_;

  // In the order of construction; each uses only what stands above it.
  plugins::CallWatch calls_;
  StopLimit stop_limit_;
  Backends backends_;
  std::unique_ptr<BrokerTopics> topics_;
  std::unique_ptr<prove::LosingBroker> losing_broker_;
  std::unique_ptr<replay::Replays> replays_;
  std::unique_ptr<saga::Saga> saga_;
  std::unique_ptr<read::LiveFeed> live_feed_;
  std::unique_ptr<EndedTransactions> ended_transactions_;
  std::unique_ptr<append::AppendService> append_;
  std::unique_ptr<read::SnapshotSaver> snapshot_saver_;
  std::unique_ptr<http::HttpServer> http_;
};

}  // namespace vouch::app
