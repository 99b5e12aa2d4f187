// One guarded call after the other.
#include "guarded_parts.h"

namespace vouch::plugins {

StorageOperations::StorageOperations(CallGuard& guard)
    : open(guard.operation("open")),
      check(guard.operation("check")),
      migrate(guard.operation("migrate", CallGuard::Patience::long_work)),
      close(guard.operation("close")),
      health(guard.operation("health")),
      capabilities(guard.operation("capabilities")),
      guarantees(guard.operation("guarantees")),
      query(guard.operation("query")),
      lane(guard.operation("lane")),
      stage(guard.operation("stage")),
      commit(guard.operation("commit")),
      rollback(guard.operation("rollback")),
      resolve(guard.operation("resolve")),
      fence(guard.operation("fence")),
      ready(guard.operation("ready")),
      complete(guard.operation("complete")),
      delivered(guard.operation("delivered")),
      backlog(guard.operation("backlog")),
      purge(guard.operation("purge", CallGuard::Patience::long_work)),
      claim(guard.operation("claim")),
      read_stream(guard.operation("read_stream")),
      heads(guard.operation("heads")),
      read_event(guard.operation("read_event")),
      feed(guard.operation("feed")),
      reached(guard.operation("reached")),
      feed_end(guard.operation("feed_end")),
      streams(guard.operation("streams")),
      snapshot_save(guard.operation("snapshot_save")),
      snapshot_newest(guard.operation("snapshot_newest")),
      snapshot_remove(guard.operation("snapshot_remove")),
      snapshot_prune(guard.operation("snapshot_prune", CallGuard::Patience::long_work)),
      dead_letters_put(guard.operation("dead_letters_put")),
      dead_letters_list(guard.operation("dead_letters_list")),
      dead_letters_find(guard.operation("dead_letters_find")),
      dead_letters_replace(guard.operation("dead_letters_replace")),
      dead_letters_remove(guard.operation("dead_letters_remove")),
      hosts_announce(guard.operation("hosts_announce")),
      hosts_list(guard.operation("hosts_list")),
      hosts_leave(guard.operation("hosts_leave")),
      erase(guard.operation("erase", CallGuard::Patience::long_work)),
      erasures_recorded(guard.operation("erasures_recorded")) {}

GuardedLane::~GuardedLane() {
  guard_.destroy("destroy lane", lane_);
}

Result<StagedGroup> GuardedLane::stage(std::span<const Append> appends) {
  bool broken = false;
  auto staged = guard_.run(
      operations_.stage, [&] { return lane_->stage(appends); },
      [&](Status status) {
        broken = true;
        return Result<StagedGroup>(std::move(status));
      });
  if (staged.ok() && staged->results.size() != appends.size()) {
    broken = true;
    staged = guard_.violation(operations_.stage.name,
                              "gave " + std::to_string(staged->results.size()) + " results for " +
                                  std::to_string(appends.size()) + " appends");
  }
  // An error means that no transaction is open; a plugin that misbehaved may have left one.
  if (broken) rollback();
  return staged;
}

CommitResult GuardedLane::commit() {
  return guard_.run(
      operations_.commit, [&] { return lane_->commit(); },
      [](Status status) {
        return CommitResult{CommitOutcome::unknown, std::move(status)};
      });
}

void GuardedLane::rollback() {
  guard_.run(
      operations_.rollback, [&] { lane_->rollback(); }, [](const Status&) {});
}

GuardedClaim::~GuardedClaim() {
  guard_.destroy("destroy claim", claim_);
}

bool GuardedClaim::held() const {
  return guard_.unmeasured(
      "held", [&] { return claim_->held(); }, [](const Status&) { return false; });
}

Status GuardedLedger::ready(std::span<const Partition> partitions, LedgerNumber after,
                            std::uint32_t max_events, DeliverySink& sink) {
  return guard_.run(operations_.ready,
                    [&] { return storage_.ledger().ready(partitions, after, max_events, sink); });
}

Status GuardedLedger::complete(std::span<const DeliveryId> deliveries) {
  return guard_.run(operations_.complete, [&] { return storage_.ledger().complete(deliveries); });
}

Result<std::vector<std::uint8_t>> GuardedLedger::delivered(std::span<const DeliveryId> deliveries) {
  return of_size(
      guard_.run(operations_.delivered, [&] { return storage_.ledger().delivered(deliveries); }),
      deliveries.size(), guard_, operations_.delivered.name);
}

Result<std::vector<Backlog>> GuardedLedger::backlog() {
  return guard_.run(operations_.backlog, [&] { return storage_.ledger().backlog(); });
}

Result<std::uint64_t> GuardedLedger::purge(std::chrono::seconds age, std::uint32_t limit) {
  return guard_.run(operations_.purge, [&] { return storage_.ledger().purge(age, limit); });
}

Result<std::unique_ptr<Claim>> GuardedLedger::claim(Partition partition) {
  auto claim = guard_.run(operations_.claim, [&] { return storage_.ledger().claim(partition); });
  if (!claim.ok()) return claim.status();
  if (*claim == nullptr) return guard_.violation(operations_.claim.name, "gave no claim");
  return std::unique_ptr<Claim>(
      std::make_unique<GuardedClaim>(std::move(claim).value(), partition, guard_));
}

Status GuardedReader::stream(const StreamName& stream, Version from, Direction direction,
                             std::uint32_t limit, EventSink& sink) {
  return guard_.run(operations_.read_stream,
                    [&] { return storage_.reader().stream(stream, from, direction, limit, sink); });
}

Result<std::vector<Version>> GuardedReader::heads(std::span<const StreamName> streams) {
  return of_size(guard_.run(operations_.heads, [&] { return storage_.reader().heads(streams); }),
                 streams.size(), guard_, operations_.heads.name);
}

Status GuardedReader::event(const EventId& id, EventSink& sink) {
  return guard_.run(operations_.read_event, [&] { return storage_.reader().event(id, sink); });
}

Result<FeedPage> GuardedReader::feed(const FeedQuery& query, FeedSink& sink) {
  return guard_.run(operations_.feed, [&] { return storage_.reader().feed(query, sink); });
}

Result<bool> GuardedReader::reached(const Cursor& cursor, const Cursor& target) {
  return guard_.run(operations_.reached, [&] { return storage_.reader().reached(cursor, target); });
}

Result<Cursor> GuardedReader::feed_end() {
  return guard_.run(operations_.feed_end, [&] { return storage_.reader().feed_end(); });
}

Status GuardedReader::streams(std::string_view category, std::string_view after,
                              std::uint32_t limit, StreamSink& sink) {
  return guard_.run(operations_.streams,
                    [&] { return storage_.reader().streams(category, after, limit, sink); });
}

Status GuardedSnapshots::save(std::span<const Snapshot> snapshots) {
  return guard_.run(operations_.snapshot_save, [&] { return store().save(snapshots); });
}

Result<std::optional<Snapshot>> GuardedSnapshots::newest(const StreamName& stream) {
  return guard_.run(operations_.snapshot_newest, [&] { return store().newest(stream); });
}

Status GuardedSnapshots::remove(const StreamName& stream) {
  return guard_.run(operations_.snapshot_remove, [&] { return store().remove(stream); });
}

Result<std::uint64_t> GuardedSnapshots::prune(Timestamp time) {
  return guard_.run(operations_.snapshot_prune, [&] { return store().prune(time); });
}

Status GuardedDeadLetters::put(std::span<const DeadLetter> letters) {
  return guard_.run(operations_.dead_letters_put, [&] { return store().put(letters); });
}

Result<std::vector<DeadLetter>> GuardedDeadLetters::list(std::span<const Partition> partitions,
                                                         const DeadLetterKey& after,
                                                         std::uint32_t limit) {
  return guard_.run(operations_.dead_letters_list,
                    [&] { return store().list(partitions, after, limit); });
}

Result<std::optional<DeadLetter>> GuardedDeadLetters::find(const DeadLetterKey& key) {
  return guard_.run(operations_.dead_letters_find, [&] { return store().find(key); });
}

Result<bool> GuardedDeadLetters::replace(const DeadLetter& known, const DeadLetter& with) {
  return guard_.run(operations_.dead_letters_replace, [&] { return store().replace(known, with); });
}

Result<bool> GuardedDeadLetters::remove(const DeadLetter& known) {
  return guard_.run(operations_.dead_letters_remove, [&] { return store().remove(known); });
}

Status GuardedHosts::announce(const HostEntry& self, std::chrono::milliseconds forget_after) {
  return guard_.run(operations_.hosts_announce,
                    [&] { return registry().announce(self, forget_after); });
}

Result<std::vector<SeenHost>> GuardedHosts::list() {
  return guard_.run(operations_.hosts_list, [&] { return registry().list(); });
}

Status GuardedHosts::leave(const std::string& id) {
  return guard_.run(operations_.hosts_leave, [&] { return registry().leave(id); });
}

Result<ErasureOutcome> GuardedErasures::erase(const Erasure& erasure) {
  return guard_.run(operations_.erase, [&] { return store().erase(erasure); });
}

Result<std::vector<ErasureRecord>> GuardedErasures::recorded(const StreamName& stream) {
  return guard_.run(operations_.erasures_recorded, [&] { return store().recorded(stream); });
}

}  // namespace vouch::plugins
