// Publisher: the thread that sends what waits in the outbox.
//
// One transaction (MULTI … EXEC) is on its way at a time, with what has gathered meanwhile, up to
// the window. Redis takes all of a transaction or nothing when it refuses one of its commands, and
// the next is sent only when the outcome of the last is known; so a message is never taken while
// one before it was refused or lost. (Commands that are pipelined one by one are taken one by one:
// the second may find the memory that the first did not.) What was not answered when a connection
// broke is sent again, in order.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "connection.h"
#include "durability.h"
#include "link_state.h"
#include "outbox.h"
#include "servers.h"
#include "topics.h"
#include "vouch/host_services.h"
#include "wake.h"

namespace broker_redis {

class Publisher {
 public:
  Publisher(const Options& options, Servers& servers, Topics& topics, Outbox& outbox,
            DurabilityFound& durability, vouch::HostServices& services);
  ~Publisher() { stop(); }
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  /// One thread calls these. Idempotent. Pre of stop: the outbox was stopped.
  void start();
  void stop();

  LinkState& state() { return state_; }

 private:
  using Messages = std::vector<Outgoing>;
  void run();
  bool connect();
  void drop(const vouch::Status& why);
  void send(Messages& messages);
  void keep_alive();

  /// Has the topics' partitions confirmed; refuses what can't be.
  vouch::Status confirm_topics(Messages& messages);
  /// Removes what need not be sent any more.
  void keep_wanted(Messages& messages);
  vouch::Status transact(Messages& messages);
  vouch::Status settle_refused(Messages& messages, const std::vector<Reply>& queued,
                               const redisReply& executed);
  vouch::Status settle_taken(Messages& messages, const redisReply& executed, Deadline deadline);
  vouch::Status settle(const Outgoing& message, const Refusal& refusal);
  vouch::Status try_transactions(Connection& connection);
  void add_transaction(const Messages& messages);
  [[nodiscard]] std::string stream_of(const Outgoing& message) const;
  [[nodiscard]] Deadline answer_by() const;

  const Options& options_;
  Servers& servers_;
  Topics& topics_;
  Outbox& outbox_;
  DurabilityFound& durability_;
  vouch::HostServices& services_;
  vouch::Counter& reconnects_;
  vouch::Counter& resent_;
  LinkState state_;
  Backoff backoff_;
  Wake wake_;
  std::thread thread_;
  std::unique_ptr<Connection> connection_;  ///< of the thread
};

}  // namespace broker_redis
