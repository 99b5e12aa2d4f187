// Subscriber: the topics that this host listens to, over a connection of its own that it makes
// again whenever it breaks; then it subscribes again and every subscription is told of a gap.
// Messages are queued on Paho's thread and handed to the sinks on one of our own. [any-thread]
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "connection.h"
#include "options.h"
#include "vouch/broker.h"
#include "vouch/host_services.h"
#include "vouch/messaging/deliverer.h"

namespace vouch::mqtt_broker {

class Subscriber {
 public:
  Subscriber(const Options& options, HostServices& services);
  ~Subscriber();
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;

  void start();
  void stop();

  Result<std::unique_ptr<Subscription>> subscribe(std::string_view topic, Partition partition,
                                                  MessageSink& sink);
  [[nodiscard]] Health health() const;

 private:
  class MqttSubscription;
  struct Listener {
    std::shared_ptr<messaging::Inbox> inbox;
    std::string topic;
    Partition partition;
    bool heard = false;  ///< was subscribed on a connection once: a new connection is a gap
  };
  struct Filter {
    std::vector<Listener> listeners;
    bool subscribed = false;  ///< on this connection
  };

  void remove(const std::shared_ptr<messaging::Inbox>& inbox);
  void run();
  void subscribe_filters(std::unique_lock<std::mutex>& lock);
  void forget_filters(std::unique_lock<std::mutex>& lock);
  void take(const mqtt::message& message);
  [[nodiscard]] bool work_left() const;

  const Options& options_;
  HostServices& services_;
  messaging::Deliverer deliverer_;
  Connection connection_;

  mutable std::mutex mutex_;  ///< guards what follows
  std::condition_variable changed_;
  std::map<std::string, Filter, std::less<>> filters_;
  std::set<std::string> unwanted_;  ///< to be unsubscribed
  std::string problem_;             ///< of a subscription
  Connection::Time next_subscribe_{};
  bool running_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace vouch::mqtt_broker
