// Consumer: the topic partitions that this host listens to, from their ends on, read without a
// group: who reads what is decided by the claims in the database. One thread calls the sinks. After
// a broken connection it goes on where it was; a place that is gone is a gap. [any-thread]
#pragma once

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "client_conf.h"
#include "link_state.h"
#include "options.h"
#include "vouch/broker.h"
#include "vouch/host_services.h"

namespace vouch::kafka {

class Consumer {
 public:
  /// All references must outlive it.
  Consumer(const Options& options, Outage& outage, HostServices& services);
  ~Consumer();
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  Status start();
  void stop();

  Result<std::unique_ptr<Subscription>> subscribe(std::string_view topic, Partition partition,
                                                  MessageSink& sink);
  [[nodiscard]] const LinkState& link() const { return state_; }
  /// For questions about topics; null before `start` and after `stop`. It never creates topics.
  [[nodiscard]] rd_kafka_t* client() const { return client_.get(); }
  void works() { state_.works(); }

 private:
  class KafkaSubscription;
  struct Listener {
    explicit Listener(MessageSink& receiver) : sink(receiver) {}
    MessageSink& sink;
    std::mutex calling;  ///< held during a call of the sink
    std::atomic<bool> stopped{false};
  };
  using Place = std::pair<std::string, std::uint32_t>;
  struct DestroyTopic {
    void operator()(rd_kafka_topic_t* topic) const { rd_kafka_topic_destroy(topic); }
  };
  struct DestroyQueue {
    void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
  };
  struct DestroyClient {
    void operator()(rd_kafka_t* client) const { rd_kafka_destroy(client); }
  };
  struct Source {
    std::unique_ptr<rd_kafka_topic_t, DestroyTopic> topic;
    std::vector<std::shared_ptr<Listener>> listeners;
  };

  void remove(const Place& place, const std::shared_ptr<Listener>& listener);
  void run();
  void take(const rd_kafka_message_t& message);
  void failed(const rd_kafka_message_t& message);
  std::vector<std::shared_ptr<Listener>> listeners(const Place& place) const;

  const Options& options_;
  HostServices& services_;
  LinkState state_;
  std::unique_ptr<rd_kafka_t, DestroyClient> client_;
  std::unique_ptr<rd_kafka_queue_t, DestroyQueue> queue_;

  mutable std::mutex mutex_;  ///< guards `sources_`
  std::map<Place, Source> sources_;
  std::atomic<bool> running_{false};
  std::thread thread_;
};

}  // namespace vouch::kafka
