// FeedWatcher: follows the feed as NDJSON on a thread of its own, counts what it sees, and measures
// the time from an event's "sent" stamp to its sight.
#pragma once

#include <atomic>
#include <string>
#include <thread>

#include "load_options.h"
#include "watcher.h"

namespace vouch::bench {

class FeedWatcher final : public Watcher {
 public:
  /// Connects and waits until the feed is live. Throws std::runtime_error.
  explicit FeedWatcher(const LoadOptions& options);
  ~FeedWatcher() override;

 private:
  void run();
  void take_lines(std::string& text);

  int socket_ = -1;
  std::atomic<bool> live_{false};
  std::thread thread_;
};

}  // namespace vouch::bench
