// Deliverer: the bounded queues of all subscriptions of one broker and the one thread that empties
// them. The thread sleeps without wake-ups while there is nothing to deliver. [any-thread] unless
// said otherwise. Lock order: a caller may hold its own lock; the deliverer holds none while it
// calls a sink.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "vouch/broker.h"
#include "vouch/host_services.h"

namespace vouch::messaging {

/// A message that owns its bytes; shared by the queues of all its subscribers.
class StoredMessage {
 public:
  StoredMessage(const Message& message, Partition partition);
  StoredMessage(const StoredMessage&) = delete;
  StoredMessage& operator=(const StoredMessage&) = delete;

  [[nodiscard]] Message view() const;

 private:
  const std::string topic_;
  const Partition partition_;
  const std::string key_;
  const std::string payload_;
  std::vector<std::pair<std::string, std::string>> headers_;
  std::vector<Header> header_views_;
};

/// The queue of one subscription. Its fields are guarded by the deliverer's lock.
class Inbox {
 public:
  Inbox(MessageSink& sink, std::string topic) : sink_(sink), topic_(std::move(topic)) {}

 private:
  friend class Deliverer;
  MessageSink& sink_;
  const std::string topic_;
  std::deque<std::shared_ptr<const StoredMessage>> queue_;
  bool queued_ = false;        ///< is in the deliverer's list
  std::uint64_t dropped_ = 0;  ///< since the queue was full; > 0: takes nothing until it drained
  bool lost_ = false;          ///< a gap is to be told
  std::atomic<bool> stopped_{false};
};

class Deliverer {
 public:
  /// `name`: of the thread, and in the metric: "vouch_{name}_overflowed_total".
  Deliverer(const std::string& name, std::size_t queue_messages, HostServices& services);
  ~Deliverer();
  Deliverer(const Deliverer&) = delete;
  Deliverer& operator=(const Deliverer&) = delete;

  /// Starts and ends the thread; both idempotent, one thread calls them. What is queued waits for
  /// the next `start`.
  void start();
  void stop();

  /// Queues a message. When the queue is full it is dropped, and so are those that follow until the
  /// queue has drained; then the sink hears of one gap.
  void put(Inbox& inbox, std::shared_ptr<const StoredMessage> message);

  /// The subscription may have missed messages: its sink hears of a gap, behind what is queued.
  void lose(Inbox& inbox);

  /// After it returned the inbox' sink is not called any more. Not from within the sink.
  void detach(Inbox& inbox);

 private:
  struct Round;
  void run();
  [[nodiscard]] Round take_round();
  void deliver(const Round& round);

  bool make_ready(Inbox& inbox);

  const std::string name_;
  const std::size_t queue_messages_;
  HostServices& services_;
  Counter& overflowed_;

  std::mutex mutex_;
  std::condition_variable work_;  ///< something to deliver, or the end
  std::condition_variable idle_;  ///< a sink's call has returned
  std::deque<Inbox*> ready_;
  Inbox* delivering_ = nullptr;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace vouch::messaging
