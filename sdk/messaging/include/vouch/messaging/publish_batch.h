// PublishBatch: the outcomes of one `Broker::publish`, told to its sink exactly once each and in
// the order that the contract wants: within a key and topic, a message is told only after those
// before it, and when one is not acked, those behind it are not acked either, whatever the broker
// said of them. Shared by all who may decide an outcome: acknowledgements, deadlines, the end.
// [any-thread]
#pragma once

#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include "vouch/broker.h"

namespace vouch::messaging {

class PublishBatch {
 public:
  /// The sink must live until it has heard of every message.
  PublishBatch(std::span<const Message> messages, PublishSink& sink);
  PublishBatch(const PublishBatch&) = delete;
  PublishBatch& operator=(const PublishBatch&) = delete;

  /// The first decision about a message counts. One that is not acked decides those behind it as
  /// well: they are told `unknown` when their turn comes.
  void decide(std::size_t index, PublishOutcome outcome, const Status& why);
  /// Decides everything that is not decided yet.
  void decide_all(PublishOutcome outcome, const Status& why);

  /// Whether sending a message makes sense: it has no outcome, and no message before it in its key
  /// has one other than acked. What is not wanted needs no `decide`.
  [[nodiscard]] bool wanted(std::size_t index) const;
  /// Whether every message has an outcome.
  [[nodiscard]] bool over() const;

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  struct Entry {
    std::size_t next = kNone;  ///< of the same key and topic
    bool first = true;         ///< everything before it in its key is told
    bool decided = false;
    bool doomed = false;  ///< one before it in its key is not acked, whether told or not
    PublishOutcome outcome = PublishOutcome::unknown;
    Status why;
  };
  struct Report {
    std::size_t index;
    PublishOutcome outcome;
    Status why;
  };

  void note(std::size_t index, PublishOutcome outcome, const Status& why,
            std::vector<Report>& reports);
  void doom_followers(std::size_t index);
  void tell(const std::vector<Report>& reports);

  PublishSink& sink_;
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
  std::size_t untold_;
};

}  // namespace vouch::messaging
