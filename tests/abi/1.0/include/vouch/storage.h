// The storage contract: what a database must be able to say for Vouch to keep its promise.
// A Storage is a thread-safe object; a Lane is one database session, used by one thread at a time.
//
// Thread tags: [startup] one thread, before anything else runs · [shutdown] one thread, after all
// other calls returned · [any-thread] may run concurrently with everything · [one-at-a-time] the
// host serialises the calls on that object.
// No method throws by contract. None keeps a reference to its arguments after it returned.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "vouch/lane.h"
#include "vouch/ledger.h"
#include "vouch/plugin_base.h"
#include "vouch/reader.h"
#include "vouch/types.h"

namespace vouch {

/// Who the store is. Fixed when the store is created; a host that disagrees is refused.
struct StoreIdentity {
  std::string name;
  std::uint32_t partitions = 0;
};

/// Differences between databases that the host must know of. Never branch on a plugin's name.
struct StorageCapabilities {
  std::uint32_t max_lanes = 0;        ///< open write transactions at once; 0: no limit
  bool several_hosts = false;         ///< more than one host may open the store
  bool change_notification = false;   ///< commits of other hosts are announced
  bool online_schema_change = false;  ///< `migrate` does not block running hosts
  std::uint64_t max_event_bytes = 0;  ///< largest payload; 0: no limit of its own
};

/// A database. Created by the plugin's `create`, which does no I/O.
class Storage : public Plugin {
 public:
  /// Connects. Errors say in words what is wrong (address, credentials, rights). [startup]
  virtual Status open() = 0;

  /// Refuses, in words, server settings that would break the promise. Pre: open. [startup]
  virtual Status check() = 0;

  /// Creates or upgrades the schema and records `identity`, or compares it with what is recorded
  /// (failed_precondition with both values). Idempotent, safe when hosts race; a schema newer than
  /// the plugin is refused. Pre: open. [startup]
  virtual Status migrate(const StoreIdentity& identity) = 0;

  /// Ends all sessions. Pre: all lanes and claims are destroyed. Idempotent. [shutdown]
  virtual void close() = 0;

  /// May block for a second at most. [any-thread]
  virtual Health health() = 0;

  [[nodiscard]] virtual StorageCapabilities capabilities() const = 0;

  /// In one or two sentences for people: what a commit survives, as this server is set up.
  [[nodiscard]] virtual std::string guarantees() const = 0;

  /// Opens the session of a lane and takes its lock, waiting at most `wait` for a dead owner's
  /// lock to go. Errors: held, unavailable. Pre: migrated. [any-thread]
  virtual Result<std::unique_ptr<Lane>> lane(LaneNumber number, std::chrono::milliseconds wait) = 0;

  /// What became of each transaction, in order, asked of the database. Definite: never a guess by
  /// time; right after a crash or restart of host or server. Errors: unavailable (for all of them).
  /// Pre: the token's `stage` returned before this call. [any-thread]
  virtual Result<std::vector<Verdict>> resolve(std::span<const Token> tokens) = 0;

  /// Ends the session that owns a transaction, so that `resolve` becomes final. [any-thread]
  virtual Status fence(const Token& token) = 0;

  virtual Ledger& ledger() = 0;
  virtual Reader& reader() = 0;

 protected:
  ~Storage() = default;
};

}  // namespace vouch
