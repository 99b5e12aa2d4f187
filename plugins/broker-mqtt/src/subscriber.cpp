#include "subscriber.h"

#include <algorithm>
#include <utility>

#include "message_properties.h"
#include "topic_rules.h"
#include "vouch/thread_name.h"

namespace vouch::mqtt_broker {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kSubscribeTimeout{5'000};
constexpr milliseconds kBetweenRefusals{1'000};

/// A partition is a topic below the topic. What was published without a partition is in the first.
std::vector<std::string> filters_for(const std::string& topic, Partition partition) {
  std::vector<std::string> filters{topic + '/' + std::to_string(partition.value)};
  if (partition.value == 0) filters.push_back(topic);
  return filters;
}

}  // namespace

class Subscriber::MqttSubscription final : public Subscription {
 public:
  MqttSubscription(Subscriber& subscriber, std::shared_ptr<messaging::Inbox> inbox)
      : subscriber_(subscriber), inbox_(std::move(inbox)) {}
  ~MqttSubscription() override { MqttSubscription::stop(); }
  void stop() override {
    subscriber_.remove(inbox_);
    subscriber_.deliverer_.detach(*inbox_);
  }

 private:
  Subscriber& subscriber_;
  const std::shared_ptr<messaging::Inbox> inbox_;
};

Subscriber::Subscriber(const Options& options, HostServices& services)
    : options_(options),
      services_(services),
      deliverer_("mqtt_subscriber", options.queue_messages, services),
      connection_(options, "sub", services, [this] {
        const std::lock_guard lock(mutex_);
        changed_.notify_all();
      }) {
  connection_.on_message([this](const mqtt::message& message) { take(message); });
}

Subscriber::~Subscriber() {
  stop();
}

void Subscriber::start() {
  const std::lock_guard lock(mutex_);
  if (running_ || stopping_) return;
  running_ = true;
  deliverer_.start();
  thread_ = std::thread([this] {
    name_this_thread("mqtt-subscriber");
    run();
  });
}

void Subscriber::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    running_ = false;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  connection_.drop();
  deliverer_.stop();
}

Result<std::unique_ptr<Subscription>> Subscriber::subscribe(std::string_view topic,
                                                            Partition partition,
                                                            MessageSink& sink) {
  if (Status status = check_topic(topic); !status.ok()) return status;
  auto inbox = std::make_shared<messaging::Inbox>(sink, std::string(topic));
  {
    const std::lock_guard lock(mutex_);
    for (const std::string& name : filters_for(std::string(topic), partition)) {
      filters_[name].listeners.push_back({inbox, std::string(topic), partition, false});
      unwanted_.erase(name);
    }
  }
  changed_.notify_all();
  return std::unique_ptr<Subscription>(std::make_unique<MqttSubscription>(*this, std::move(inbox)));
}

void Subscriber::remove(const std::shared_ptr<messaging::Inbox>& inbox) {
  {
    const std::lock_guard lock(mutex_);
    for (auto next = filters_.begin(); next != filters_.end();) {
      Filter& filter = next->second;
      std::erase_if(filter.listeners, [&](const Listener& one) { return one.inbox == inbox; });
      if (!filter.listeners.empty()) {
        ++next;
        continue;
      }
      if (filter.subscribed) unwanted_.insert(next->first);
      next = filters_.erase(next);
    }
  }
  changed_.notify_all();
}

void Subscriber::take(const mqtt::message& message) {
  const std::lock_guard lock(mutex_);
  const auto filter = filters_.find(message.get_topic());
  if (filter == filters_.end()) return;
  const auto headers = headers_of(message.get_properties());
  std::vector<Header> views;
  views.reserve(headers.size());
  for (const auto& [name, value] : headers) views.push_back({name, value});
  const mqtt::binary_ref& payload = message.get_payload_ref();
  for (const Listener& listener : filter->second.listeners) {
    const Message view{listener.topic,
                       listener.partition,
                       {},
                       views,
                       std::string_view(payload.data(), payload.size())};
    deliverer_.put(*listener.inbox,
                   std::make_shared<const messaging::StoredMessage>(view, listener.partition));
  }
}

void Subscriber::run() {
  std::unique_lock lock(mutex_);
  while (running_) {
    if (connection_.broken() || !connection_.connected()) {
      for (auto& [name, filter] : filters_) filter.subscribed = false;
      unwanted_.clear();
      if (steady_clock::now() < connection_.next_try()) {
        changed_.wait_until(lock, connection_.next_try());
        continue;
      }
      lock.unlock();
      const bool connected = connection_.connect([this] {
        const std::lock_guard inner(mutex_);
        return !running_;
      });
      lock.lock();
      if (connected) next_subscribe_ = {};
      continue;
    }
    if (work_left() && steady_clock::now() >= next_subscribe_) {
      subscribe_filters(lock);
      forget_filters(lock);
      continue;
    }
    if (work_left()) {
      changed_.wait_until(lock, next_subscribe_);
    } else {
      changed_.wait(lock);
    }
  }
}

/// Pre: the mutex is held.
bool Subscriber::work_left() const {
  return !unwanted_.empty() ||
         std::ranges::any_of(filters_, [](const auto& entry) { return !entry.second.subscribed; });
}

void Subscriber::subscribe_filters(std::unique_lock<std::mutex>& lock) {
  std::vector<std::string> wanted;
  for (const auto& [name, filter] : filters_) {
    if (!filter.subscribed) wanted.push_back(name);
  }
  if (wanted.empty()) return;
  const auto names = mqtt::string_collection::create(wanted);
  std::string problem;
  lock.unlock();
  try {
    const mqtt::token_ptr token = connection_.client().subscribe(
        names, mqtt::iasync_client::qos_collection(wanted.size(), 1));
    if (!token->wait_for(kSubscribeTimeout)) problem = "the broker does not answer a subscription";
  } catch (const mqtt::exception& error) {
    problem = "the broker refuses a subscription: " + std::string(error.what());
  }
  lock.lock();
  if (problem != problem_ && !problem.empty() && !connection_.broken()) {
    services_.logger().warning("can't subscribe; trying again",
                               {{"broker", options_.host}, {"reason", problem}});
  }
  problem_ = problem;
  if (!problem.empty()) {
    next_subscribe_ = steady_clock::now() + kBetweenRefusals;
    return;
  }
  for (const std::string& name : wanted) {
    const auto filter = filters_.find(name);
    if (filter == filters_.end()) {
      unwanted_.insert(name);
      continue;
    }
    filter->second.subscribed = true;
    for (Listener& listener : filter->second.listeners) {
      if (listener.heard) deliverer_.lose(*listener.inbox);
      listener.heard = true;
    }
  }
}

void Subscriber::forget_filters(std::unique_lock<std::mutex>& lock) {
  if (unwanted_.empty()) return;
  const std::vector<std::string> names(unwanted_.begin(), unwanted_.end());
  unwanted_.clear();
  lock.unlock();
  try {
    connection_.client()
        .unsubscribe(mqtt::string_collection::create(names))
        ->wait_for(kSubscribeTimeout);
  } catch (const mqtt::exception&) {
    // At worst messages come that nobody listens to, until the next connection.
  }
  lock.lock();
}

Health Subscriber::health() const {
  const Health health = connection_.health();
  if (!health.ok) return health;
  const std::lock_guard lock(mutex_);
  return problem_.empty() ? health : Health{false, options_.host + ": " + problem_};
}

}  // namespace vouch::mqtt_broker
