// Stager: puts one group of appends into an open transaction. The plan judges the appends and asks
// here what is committed; then its rows are inserted in order, so that a delivery is one range of
// `seq`. Lives for one group; one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "vouch/staging/group_plan.h"
#include "write_statements.h"

namespace vouch::sqlite {

/// Which event ids are looked up before they are inserted. A retry repeats a whole append, so the
/// first of each write tells; the unique key refuses whatever slips through, and the group is then
/// judged again with `all`.
enum class IdCheck : std::uint8_t { first_of_write, all };

class Stager final : private staging::CommittedFacts {
 public:
  /// `appends` must outlive it.
  Stager(WriteStatements& sql, std::span<const Append> appends, const Token& token, Timestamp now,
         IdCheck check)
      : sql_(sql), appends_(appends), token_(token), now_(now), check_(check) {}

  /// Pre: the appends are well formed. Throws SqlError; SQLITE_CONSTRAINT_UNIQUE means that an id
  /// which was not looked up is taken.
  StagedGroup run();

 private:
  Version head(const StreamName& stream) override;
  std::optional<staging::StoredKey> key(const Idempotency& idempotency) override;
  bool id_stored(const EventId& id, bool first) override;
  std::optional<staging::StoredEvent> event(const NewEvent& event) override;

  void tell_first_time(std::uint64_t seq, staging::StoredEvent& stored);
  std::vector<Delivery> insert_rows(std::span<const staging::PlannedRow> rows);
  Delivery insert_delivery(Partition partition, std::uint64_t first, std::uint64_t last);
  void keep_keys(const staging::GroupPlan& plan);

  /// The delivery that holds the events from `first` to `last`.
  struct Found {
    std::uint64_t first = 1;
    std::uint64_t last = 0;
    DeliveryId delivery;
    Token token;
  };

  WriteStatements& sql_;
  std::span<const Append> appends_;
  Token token_;
  Timestamp now_;
  IdCheck check_;
  Found found_;  ///< the last one that was looked for
};

}  // namespace vouch::sqlite
