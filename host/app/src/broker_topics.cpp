#include "broker_topics.h"

#include "vouch/thread_name.h"

namespace vouch::app {
namespace {

using std::chrono::milliseconds;

/// How long a start waits for a broker that does not answer.
constexpr milliseconds kWaitAtStart{3'000};
constexpr milliseconds kWaitLater{5'000};
constexpr milliseconds kBetweenRetries{1'000};

bool curable(StatusCode code) {
  return code == StatusCode::unavailable || code == StatusCode::timeout ||
         code == StatusCode::overloaded || code == StatusCode::contended;
}

}  // namespace

BrokerTopics::BrokerTopics(const config::Config& config, Backends& backends, HostServices& services)
    : backends_(backends), services_(services) {
  topics_[config.validation.broker].push_back({config.validation.topic, config.store.partitions});
  for (const config::RouteConfig& route : config.outbound) {
    const bool fixed_name = route.topic.find('{') == std::string::npos;
    if (fixed_name) topics_[route.broker].push_back({route.topic, 1});
  }
}

BrokerTopics::~BrokerTopics() {
  stop();
}

Status BrokerTopics::ensure(const std::string& broker, milliseconds wait) {
  return backends_.broker(broker)
      .ensure(topics_.at(broker), wait)
      .with_context("the topics of broker " + broker);
}

Status BrokerTopics::start() {
  for (const auto& [broker, topics] : topics_) {
    const Status status = ensure(broker, kWaitAtStart);
    if (status.ok()) continue;
    if (!curable(status.code())) return status;
    services_.logger().warning("broker is not reachable yet; asking goes on in the background",
                               {{"broker", broker}, {"reason", status.message()}});
    pending_[broker] = status.message();
  }
  if (!pending_.empty()) thread_ = std::thread([this] { retry(); });
  return {};
}

void BrokerTopics::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_asked_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void BrokerTopics::retry() {
  name_this_thread("broker-topics");
  std::unique_lock lock(mutex_);
  while (!pending_.empty()) {
    if (stop_asked_.wait_for(lock, kBetweenRetries, [this] { return stopping_; })) return;
    const std::string broker = pending_.begin()->first;
    lock.unlock();
    const Status status = ensure(broker, kWaitLater);
    lock.lock();
    if (!status.ok() && curable(status.code())) {
      pending_[broker] = status.message();
      continue;
    }
    pending_.erase(broker);
    if (status.ok()) {
      services_.logger().info("topics ensured", {{"broker", broker}});
      continue;
    }
    refused_[broker] = status.message();
    services_.logger().error("broker can't serve this store; correct it and start again",
                             {{"broker", broker}, {"reason", status.message()}});
  }
}

std::vector<http::ReadinessCheck> BrokerTopics::problems() const {
  const std::lock_guard lock(mutex_);
  std::vector<http::ReadinessCheck> checks;
  for (const auto& [broker, why] : pending_) checks.push_back({"topics of " + broker, false, why});
  for (const auto& [broker, why] : refused_) checks.push_back({"topics of " + broker, false, why});
  return checks;
}

}  // namespace vouch::app
