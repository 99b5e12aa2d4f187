// Reader: the thread that reads the streams of all subscriptions (XREAD, which waits for new
// entries in Redis) and gives subscribers what comes. [any-thread] unless said otherwise. No lock
// is held while a sink is called. Redis keeps what was not read yet, so a slow subscriber costs no
// memory here, and loses messages only when they are trimmed; then it hears of a gap.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "connection.h"
#include "follower.h"
#include "link_state.h"
#include "servers.h"
#include "vouch/host_services.h"
#include "wake.h"

namespace broker_redis {

using FollowerPtr = std::shared_ptr<Follower>;

class Reader {
 public:
  Reader(const Options& options, Servers& servers, vouch::HostServices& services);
  ~Reader() { stop(); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  /// One thread calls start and stop. Idempotent.
  void start();
  void stop();

  void follow(const FollowerPtr& follower);
  /// After it returned the follower's sink is not called any more. Not from within the sink.
  void leave(const FollowerPtr& follower);
  /// Where its reading begins, unless it has begun.
  void begin_at(const FollowerPtr& follower, EntryId position);

  /// The id of the connection that waits in Redis (CLIENT UNBLOCK), or nothing.
  [[nodiscard]] std::string client_id() const;
  LinkState& state() { return state_; }
  [[nodiscard]] bool has_followers() const;

 private:
  /// Followers of one stream, and from where it is read for them.
  struct Stream {
    std::vector<FollowerPtr> followers;
    EntryId from;
  };
  using Streams = std::map<std::string, Stream>;

  void run();
  bool connect();
  void drop(const vouch::Status& why);
  void pause(std::chrono::milliseconds time);
  std::vector<FollowerPtr> take_followers();

  /// Looks at the streams of followers that have no position, or may have lost theirs.
  vouch::Status look(const std::vector<FollowerPtr>& followers);
  /// `asked_at`: its position when the questions were sent.
  void place(Follower& follower, const std::optional<EntryId>& asked_at, const redisReply& first,
             const redisReply& last);
  [[nodiscard]] Streams streams_of(const std::vector<FollowerPtr>& followers) const;
  /// Waits for entries, and hands them over.
  vouch::Status read(const Streams& streams);
  void deliver(const Stream& stream, const redisReply& entries);
  void deliver(Follower& follower, EntryId id, const redisReply& fields);
  /// Calls the sink, unless the follower was stopped.
  template <typename Call>
  void tell(Follower& follower, Call call);

  const Options& options_;
  Servers& servers_;
  vouch::HostServices& services_;
  LinkState state_;
  Backoff backoff_;
  Wake wake_;
  std::thread thread_;

  // Of the thread:
  std::unique_ptr<Connection> connection_;
  bool look_at_all_ = true;                          ///< the connection is new
  std::vector<FollowerPtr> lagging_;                 ///< more was there than one read takes
  std::chrono::steady_clock::time_point next_look_;  ///< at streams that were refused

  mutable std::mutex mutex_;  ///< guards what follows, and the followers
  std::condition_variable work_;
  std::condition_variable idle_;
  std::vector<FollowerPtr> followers_;
  const Follower* delivering_ = nullptr;
  std::string client_id_;
  bool running_ = false;
};

}  // namespace broker_redis
