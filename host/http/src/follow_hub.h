// FollowHub: serves everybody who follows the feed. One thread owns all followers and writes to
// them without ever blocking; two more read the database for those who are behind. A follower that
// reads slowly has a bounded buffer; when it is full, nothing more is made for that follower, and
// when the live feed has moved on meanwhile, it is served from the database again. Nobody wakes up
// while nothing happens, but for heartbeats.
#pragma once

#include <Poco/Net/StreamSocket.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "message.h"
#include "read/live_feed.h"
#include "vouch/host_services.h"
#include "vouch/storage.h"

namespace vouch::http {

struct FollowHubOptions {
  std::uint32_t max_followers = 1'000;
  std::chrono::milliseconds heartbeat{15'000};
};

class FollowHub {
 public:
  /// All references must outlive it.
  FollowHub(FollowHubOptions options, Reader& reader, read::LiveFeed& live_feed,
            HostServices& services);
  ~FollowHub();
  FollowHub(const FollowHub&) = delete;
  FollowHub& operator=(const FollowHub&) = delete;

  /// Errors: unavailable (the system gives no more descriptors). [startup]
  Status start();
  /// Ends all followers properly and joins. Idempotent.
  void stop();

  /// Keeps a place for one more follower; false when there are too many, or the hub stops. A place
  /// is used by `add`, or given back. [any-thread]
  bool reserve();
  void give_back();

  /// Takes a connection over, in a reserved place. `head` is sent first. [any-thread]
  void add(const Poco::Net::StreamSocket& socket, FollowStart start, std::string head,
           bool chunked);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vouch::http
