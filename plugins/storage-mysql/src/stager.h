// Stager: writes one group of appends into the open transaction of a lane's session. First the
// group is judged, then its ledger rows are inserted, which draws their numbers, then its events,
// which carry them. The versions that are written were committed facts before the numbers are
// drawn, so a stream's later version never has a lower number. Lives for one group; one thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "group_facts.h"
#include "session.h"

namespace vouch::mysql {

class Stager {
 public:
  /// `first_place` is the lane's next place. `max_packet`: bytes that one statement may have.
  Stager(Session& session, const Token& token, std::uint64_t first_place, Timestamp now,
         std::uint64_t max_packet)
      : session_(session), token_(token), place_(first_place), now_(now), max_packet_(max_packet) {}

  /// Pre: the appends are well formed. Throws SqlError; `is_duplicate` means that a key refused
  /// what was judged in the quick mode, or that another session was quicker: roll back and judge
  /// again.
  StagedGroup run(std::span<const Append> appends, Judging judging);

  /// The place behind the last one that was used.
  [[nodiscard]] std::uint64_t next_place() const { return place_; }

 private:
  void guard_preconditions(std::span<const Append> appends,
                           std::span<const staging::PlannedRow> rows, GroupFacts& facts);
  std::vector<Delivery> insert_deliveries(std::span<const staging::PlannedRow> rows);
  void insert_events(std::span<const staging::PlannedRow> rows,
                     std::span<const Delivery> deliveries);
  void insert_keys(const staging::GroupPlan& plan);

  Session& session_;
  const Token token_;
  std::uint64_t place_;
  const Timestamp now_;
  const std::uint64_t max_packet_;
};

/// What an event takes of a statement, about.
std::uint64_t bytes_of(const NewEvent& event);

}  // namespace vouch::mysql
