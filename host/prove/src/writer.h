// Writer: a client that appends, one request after the other, to streams that all writers share and
// to some of its own; with and without expected version, idempotency key, ids; one event or many.
// What can be repeated is repeated until it is answered. Everything it does comes from its seed.
// Has a thread of its own between `start` and `finish`; `appends` afterwards.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "counts.h"
#include "host_addresses.h"
#include "http_client.h"
#include "prove/history.h"
#include "run_clock.h"
#include "seeded_random.h"

namespace vouch::prove {

/// What the writers know of the heads of streams; they share it. Any thread.
class KnownHeads {
 public:
  std::uint64_t of(const std::string& stream) const {
    const std::lock_guard lock(mutex_);
    const auto found = heads_.find(stream);
    return found == heads_.end() ? 0 : found->second;
  }
  void at_least(const std::string& stream, std::uint64_t version) {
    const std::lock_guard lock(mutex_);
    std::uint64_t& head = heads_[stream];
    head = std::max(head, version);
  }
  void set(const std::string& stream, std::uint64_t version) {
    const std::lock_guard lock(mutex_);
    heads_[stream] = version;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::uint64_t> heads_;
};

struct WriterContext {
  const HostAddresses& hosts;
  const RunClock& clock;
  Counts& counts;
  KnownHeads& heads;
  std::vector<std::string> shared;  ///< streams that every writer writes to
};

class Writer {
 public:
  /// `period`: between the beginnings of two appends. `own`: streams that nobody else writes to.
  /// The context must outlive it.
  Writer(const WriterContext& context, std::string name, std::uint64_t seed, Seconds period,
         std::vector<std::string> own);
  ~Writer();

  void start();
  /// Ends the plans; what is not answered yet is repeated for at most `patience`. Does not wait.
  void end(Seconds patience);
  [[nodiscard]] bool ended() const { return ended_; }
  /// Pre: ended.
  [[nodiscard]] std::vector<Append>& appends() { return appends_; }
  /// Answers that are none of an append's (400 and the like), in words: a defect somewhere.
  [[nodiscard]] const std::vector<std::string>& complaints() const { return complaints_; }

 private:
  void work();
  Append plan();
  void carry_out(Append& append);
  /// Nothing if it never reached a host.
  std::optional<Attempt> attempt(const Append& append);
  bool connected();
  [[nodiscard]] bool out_of_time() const;

  const WriterContext& context_;
  const std::string name_;
  SeededRandom random_;
  const Seconds period_;
  const std::vector<std::string> own_;
  std::vector<Append> appends_;
  std::vector<std::string> complaints_;
  std::unique_ptr<HttpClient> client_;
  std::atomic<bool> over_{false};
  std::atomic<Seconds> last_moment_{1e18};
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

/// The body of its requests: the same for each attempt.
std::string request_body(const Append& append);
std::vector<std::pair<std::string, std::string>> request_headers(const Append& append);
/// What an answer says.
Attempt attempt_of(const HttpAnswer& answer);

}  // namespace vouch::prove
