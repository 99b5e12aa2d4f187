// BrokerTopics makes sure that the topics whose names are known at start exist as they must: the
// validation topic, and outbound topics without placeholders. A broker that can't be reached does
// not keep the host from starting: it is asked again in the background until it answered.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "backends.h"
#include "http/http_server.h"

namespace vouch::app {

class BrokerTopics {
 public:
  /// All references must outlive it. Starts nothing.
  BrokerTopics(const config::Config& config, Backends& backends, HostServices& services);
  ~BrokerTopics();
  BrokerTopics(const BrokerTopics&) = delete;
  BrokerTopics& operator=(const BrokerTopics&) = delete;

  /// Asks every broker once. Errors: those that no waiting can cure. [startup]
  Status start();
  /// Ends asking, and joins. Idempotent.
  void stop();
  /// What has not been answered yet, or was refused, in words. [any-thread]
  [[nodiscard]] std::vector<http::ReadinessCheck> problems() const;

 private:
  Status ensure(const std::string& broker, std::chrono::milliseconds wait);
  void retry();

  Backends& backends_;
  HostServices& services_;
  std::map<std::string, std::vector<TopicSpec>> topics_;  ///< by broker; constant after `start`
  mutable std::mutex mutex_;
  std::condition_variable stop_asked_;
  bool stopping_ = false;
  std::map<std::string, std::string> pending_;  ///< by broker: why
  std::map<std::string, std::string> refused_;  ///< by broker: why
  std::thread thread_;
};

}  // namespace vouch::app
