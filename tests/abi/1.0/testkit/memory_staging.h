// Staging: how a group of appends gets into a session's open transaction. One object for one call
// of Lane::stage; everything runs under the database's mutex, which waiting for others gives up.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "memory_database.h"

namespace vouch::testkit {

class Staging {
 public:
  /// Pre: `lock` holds the database's mutex; `session` is alive and has no open transaction.
  Staging(MemoryDatabase::Impl& database, SessionPtr session, std::unique_lock<std::mutex>& lock,
          std::uint32_t partitions, std::chrono::steady_clock::time_point deadline);

  /// Errors as of Lane::stage; on error no transaction is open.
  Result<StagedGroup> run(std::span<const Append> appends);

 private:
  /// Where an append's result comes from, until ledger numbers are drawn.
  struct Source {
    std::vector<RecordPtr> records;  ///< staged, or stored before under the same ids
    std::optional<KeyName> own_key;  ///< the key that was used before in this very group
  };
  /// The transaction of another session that holds what an append wants.
  struct Blocker {
    SessionPtr session;
    Token token;
  };
  using Bases = std::vector<std::optional<Version>>;

  [[nodiscard]] Status validate(const Append& append) const;
  Status stage_one(const Append& append, StageResult& result, Source& source);
  std::optional<StageResult> stored_before(const Append& append, Source& source);
  std::optional<StageResult> by_key(const Append& append, Source& source);
  std::optional<StageResult> by_ids(const Append& append, Source& source);
  std::optional<StageResult> draw_bases(const Append& append, Bases& bases);
  std::optional<StageResult> check_preconditions(const Append& append);
  [[nodiscard]] std::optional<Blocker> identity_blocker(const Append& append) const;
  [[nodiscard]] std::optional<Blocker> stream_blocker(const Append& append) const;
  template <typename Holds>
  [[nodiscard]] std::optional<Blocker> blocker_where(Holds holds) const;
  Status wait_for(const Blocker& blocker);
  [[nodiscard]] bool deadlocked() const;
  void write(const Append& append, const Bases& bases, StageResult& result, Source& source);
  void draw_numbers();
  void finish(const Append& append, StageResult& result, const Source& source);

  [[nodiscard]] RecordPtr find(const EventId& id) const;
  [[nodiscard]] std::optional<Version> own_head(const std::string& stream) const;
  Transaction& transaction() { return *session_->open; }

  MemoryDatabase::Impl& database_;
  SessionPtr session_;
  std::unique_lock<std::mutex>& lock_;
  std::uint32_t partitions_;
  std::chrono::steady_clock::time_point deadline_;
};

}  // namespace vouch::testkit
