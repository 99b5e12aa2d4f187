// Tailer: gives subscribers what is appended to their files, by whichever process. One thread,
// which sleeps in the kernel (inotify) until a file changes. [any-thread] unless said otherwise. No
// lock is held while a sink is called.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "partition_file.h"
#include "vouch/broker.h"
#include "vouch/host_services.h"

namespace broker_files {

/// One subscriber's place in one file. Its fields belong to the tailer's thread, but for `stopped`.
struct Follower {
  vouch::MessageSink& sink;
  const std::string topic;
  const vouch::Partition partition;
  const std::unique_ptr<PartitionFile> file;
  std::uint64_t offset = 0;
  bool complained = false;  ///< about a file that can't be read
  std::atomic<bool> stopped{false};
};

class Tailer {
 public:
  explicit Tailer(vouch::HostServices& services) : services_(services) {}
  ~Tailer() { stop(); }
  Tailer(const Tailer&) = delete;
  Tailer& operator=(const Tailer&) = delete;

  /// Starts and ends the thread; one thread calls them. Idempotent. Errors: unavailable.
  vouch::Status start();
  void stop();

  /// From now on the follower's sink hears what lies behind `offset`. Errors: unavailable.
  vouch::Status follow(const std::string& path, std::shared_ptr<Follower> follower);
  /// After it returned the follower's sink is not called any more. Not from within the sink.
  void leave(const std::shared_ptr<Follower>& follower);

 private:
  void run();
  /// Whether there may be more at once.
  bool deliver(Follower& follower);
  void wake() const;

  vouch::HostServices& services_;
  int changes_ = -1;  ///< inotify
  int wake_ = -1;     ///< eventfd
  std::thread thread_;

  std::mutex mutex_;  ///< guards what follows
  std::condition_variable idle_;
  std::vector<std::shared_ptr<Follower>> followers_;
  const Follower* delivering_ = nullptr;
  bool ending_ = false;
};

}  // namespace broker_files
