// HostRegistry: an optional interface of a storage plugin that several hosts may open. Hosts tell
// each other here that they are there and what they deliver, so that they can share the partitions
// evenly. It decides nothing: who may deliver a partition is decided by `Ledger::claim` alone.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "vouch/types.h"

namespace vouch {

struct HostEntry {
  std::string id;    ///< 1 to 64 visible ASCII characters; another one after each start
  std::string name;  ///< for people: at most 255 bytes of UTF-8
  std::vector<Partition> owned;
  Timestamp started;
};

struct SeenHost {
  HostEntry host;
  /// Since its last `announce`, by the database's clock; never negative.
  std::chrono::milliseconds age{0};
};

/// [any-thread] for all methods. What they changed may be lost in a crash of the server.
class HostRegistry {
 public:
  static constexpr const char* kInterface = "vouch.storage.hosts/1";

  /// Keeps `self` under its id, in place of what was there; its age begins anew. Forgets other
  /// hosts that are older than `forget_after`.
  virtual Status announce(const HostEntry& self, std::chrono::milliseconds forget_after) = 0;

  /// All hosts that are kept, in the order of their ids, compared as bytes.
  virtual Result<std::vector<SeenHost>> list() = 0;

  /// Forgets a host that ends. Ok when there is none of that id.
  virtual Status leave(const std::string& id) = 0;

 protected:
  ~HostRegistry() = default;
};

}  // namespace vouch
