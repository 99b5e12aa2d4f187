// MemoryErasures: contents taken out of committed events, in one step. [any-thread]
#include <algorithm>

#include "memory_host.h"

namespace vouch::testkit {
namespace {

RecordPtr tombstone_of(const Record& record, const Erasure& erasure) {
  auto tombstone = std::make_shared<Record>(record);
  tombstone->event.data = kTombstoneData;
  tombstone->event.content_type = kTombstoneContentType;
  tombstone->event.metadata = erasure.metadata;
  return tombstone;
}

}  // namespace

ErasureOutcome MemoryDatabase::Impl::erase(const Erasure& erasure) {
  const std::string& stream = erasure.stream.str();
  const auto erased_before = [&](Version version) {
    return std::ranges::any_of(erasures, [&](const ErasureRecord& record) {
      return record.stream == erasure.stream && record.first <= version && version <= record.last;
    });
  };
  ErasureOutcome outcome;
  outcome.last = erasure.last;
  for (Version version = erasure.first; version <= erasure.last; ++version.value) {
    if (erased_before(version)) continue;
    RecordPtr& kept = streams.at(stream)[version.value - 1];
    const RecordPtr tombstone = tombstone_of(*kept, erasure);
    const auto row = ledger.find(kept->delivery.number);
    if (row != ledger.end()) {
      std::ranges::replace(row->second.records, kept, tombstone);
    }
    log[kept->position - 1] = tombstone;
    ids[kept->event.id] = tombstone;
    kept = tombstone;
    ++outcome.events;
  }
  const auto snapshot = snapshots.find(stream);
  if (snapshot != snapshots.end() && snapshot->second.version >= erasure.first) {
    snapshots.erase(snapshot);
    outcome.snapshots = 1;
  }
  if (outcome.events + outcome.snapshots > 0) {
    erasures.push_back({erasure.stream, erasure.first, erasure.last, erasure.time, erasure.reason,
                        outcome.events});
  }
  return outcome;
}

Result<ErasureOutcome> MemoryErasures::erase(const Erasure& erasure) {
  if (Status status = check_erasure(erasure); !status.ok()) return status;
  const Fault fault = host_->faults.pass(Step::erase);
  if (fault == Fault::throw_exception) throw_on_purpose(Step::erase);
  if (fault == Fault::fail) return told_to_fail(Step::erase);
  if (Status status = host_->usable(); !status.ok()) return status;
  const std::lock_guard lock(host_->database.mutex);
  Erasure cut = erasure;
  cut.last = std::min(erasure.last, host_->database.head(erasure.stream.str()));
  if (cut.last == Version{}) {
    return Status(StatusCode::not_found, "there is no stream " + erasure.stream.str());
  }
  const ErasureOutcome outcome = host_->database.erase(cut);
  if (fault == Fault::lose_and_fail) return told_to_fail(Step::erase);
  return outcome;
}

Result<std::vector<ErasureRecord>> MemoryErasures::recorded(const StreamName& stream) {
  if (Status status = host_->usable(); !status.ok()) return status;
  const std::lock_guard lock(host_->database.mutex);
  std::vector<ErasureRecord> records;
  std::ranges::copy_if(host_->database.erasures, std::back_inserter(records),
                       [&](const ErasureRecord& record) { return record.stream == stream; });
  return records;
}

}  // namespace vouch::testkit
