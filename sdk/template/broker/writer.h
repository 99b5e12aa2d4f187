// Writer: takes the messages of publishes into a bounded queue, and writes them on a thread of its
// own: everything that waits for one file at once, forced to the disk once, then acknowledged.
// Another thread gives `unknown` to what was not written by its deadline. [any-thread] unless said
// otherwise.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "partition_file.h"
#include "vouch/messaging/publish_batch.h"

namespace broker_files {

/// Messages of one publish; the batch tells their outcomes in the order that the contract wants.
struct Call {
  Call(std::span<const vouch::Message> messages, vouch::PublishSink& sink)
      : batch(messages, sink) {}

  struct Entry {
    std::size_t index;   ///< in the publish
    std::string path;    ///< of the file
    std::string record;  ///< as it is written
  };
  vouch::messaging::PublishBatch batch;
  std::vector<Entry> entries;
  std::chrono::steady_clock::time_point deadline;
};

class Writer {
 public:
  explicit Writer(std::size_t queue_messages) : queue_messages_(queue_messages) {}
  ~Writer() { stop(); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// Starts the threads; one thread calls start and stop.
  void start();
  /// Ends them; what was not written gets `unknown`. Idempotent.
  void stop();

  /// Keeps room for that many messages; `put` must follow. Errors: overloaded, unavailable (not
  /// started).
  vouch::Status reserve(std::size_t messages);
  /// Takes a call for whose entries there is room; each message gets its outcome from now on.
  void put(std::shared_ptr<Call> call);

 private:
  using Calls = std::deque<std::shared_ptr<Call>>;

  void write_calls();
  void expire_calls();
  void write(const Calls& calls);

  const std::size_t queue_messages_;
  std::thread writing_;
  std::thread expiring_;
  std::map<std::string, std::unique_ptr<PartitionFile>> files_;  ///< of the writing thread

  std::mutex mutex_;  ///< guards what follows
  std::condition_variable work_;
  std::condition_variable clock_;
  Calls waiting_;
  std::list<std::shared_ptr<Call>> untold_;  ///< with messages that have no outcome yet
  std::size_t waiting_messages_ = 0;         ///< and those for which room is kept
  bool running_ = false;
};

}  // namespace broker_files
