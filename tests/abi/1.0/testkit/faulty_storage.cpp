// FaultyStorage and the lane, ledger and reader it lends out: each asks what to do at its step and
// passes the call on.
#include "vouch/testkit/faulty_storage.h"

#include <utility>

#include "fault_step.h"
#include "vouch/erasure_store.h"

namespace vouch::testkit {
namespace {

class FaultyLane final : public Lane {
 public:
  FaultyLane(std::unique_ptr<Lane> lane, Faults& faults)
      : lane_(std::move(lane)), faults_(faults) {}

  [[nodiscard]] LaneNumber number() const override { return lane_->number(); }

  Result<StagedGroup> stage(std::span<const Append> appends) override {
    if (Status status = pass_step(faults_, Step::stage); !status.ok()) return status;
    return lane_->stage(appends);
  }

  CommitResult commit() override {
    const Fault fault = faults_.pass(Step::commit);
    if (fault == Fault::throw_exception) throw_on_purpose(Step::commit);
    if (fault == Fault::lose) {
      lane_->commit();
      return {CommitOutcome::unknown, {StatusCode::unavailable, "told to lose the answer"}};
    }
    if (fault == Fault::fail || fault == Fault::lose_and_fail) {
      lane_->rollback();
      return {fault == Fault::fail ? CommitOutcome::aborted : CommitOutcome::unknown,
              told_to_fail(Step::commit)};
    }
    return lane_->commit();
  }

  void rollback() override {
    if (faults_.pass(Step::rollback) == Fault::throw_exception) throw_on_purpose(Step::rollback);
    lane_->rollback();
  }

 private:
  std::unique_ptr<Lane> lane_;
  Faults& faults_;
};

class FaultyLedger final : public Ledger {
 public:
  FaultyLedger(Storage& storage, Faults& faults) : storage_(storage), faults_(faults) {}

  Status ready(std::span<const Partition> partitions, LedgerNumber after, std::uint32_t max_events,
               DeliverySink& sink) override {
    if (Status status = pass_step(faults_, Step::ready); !status.ok()) return status;
    return storage_.ledger().ready(partitions, after, max_events, sink);
  }
  Status complete(std::span<const DeliveryId> deliveries) override {
    const Fault fault = faults_.pass(Step::complete);
    if (fault == Fault::throw_exception) throw_on_purpose(Step::complete);
    if (fault == Fault::fail) return told_to_fail(Step::complete);
    if (fault == Fault::lose) return {};
    return storage_.ledger().complete(deliveries);
  }
  Result<std::vector<std::uint8_t>> delivered(std::span<const DeliveryId> deliveries) override {
    return storage_.ledger().delivered(deliveries);
  }
  Result<std::vector<Backlog>> backlog() override { return storage_.ledger().backlog(); }
  Result<std::uint64_t> purge(std::chrono::seconds age, std::uint32_t limit) override {
    return storage_.ledger().purge(age, limit);
  }
  Result<std::unique_ptr<Claim>> claim(Partition partition) override {
    if (Status status = pass_step(faults_, Step::claim); !status.ok()) return status;
    return storage_.ledger().claim(partition);
  }

 private:
  Storage& storage_;
  Faults& faults_;
};

class FaultyReader final : public Reader {
 public:
  FaultyReader(Storage& storage, Faults& faults) : storage_(storage), faults_(faults) {}

  Status stream(const StreamName& stream, Version from, Direction direction, std::uint32_t limit,
                EventSink& sink) override {
    if (Status status = pass(); !status.ok()) return status;
    return storage_.reader().stream(stream, from, direction, limit, sink);
  }
  Result<std::vector<Version>> heads(std::span<const StreamName> streams) override {
    if (Status status = pass(); !status.ok()) return status;
    return storage_.reader().heads(streams);
  }
  Status event(const EventId& id, EventSink& sink) override {
    if (Status status = pass(); !status.ok()) return status;
    return storage_.reader().event(id, sink);
  }
  Result<FeedPage> feed(const FeedQuery& query, FeedSink& sink) override {
    if (Status status = pass(); !status.ok()) return status;
    return storage_.reader().feed(query, sink);
  }
  Result<bool> reached(const Cursor& cursor, const Cursor& target) override {
    return storage_.reader().reached(cursor, target);
  }
  Result<Cursor> feed_end() override {
    if (Status status = pass(); !status.ok()) return status;
    return storage_.reader().feed_end();
  }
  Status streams(std::string_view category, std::string_view after, std::uint32_t limit,
                 StreamSink& sink) override {
    if (Status status = pass(); !status.ok()) return status;
    return storage_.reader().streams(category, after, limit, sink);
  }

 private:
  Status pass() { return pass_step(faults_, Step::read); }

  Storage& storage_;
  Faults& faults_;
};

class FaultyErasures final : public ErasureStore {
 public:
  FaultyErasures(Storage& storage, Faults& faults) : storage_(storage), faults_(faults) {}

  Result<ErasureOutcome> erase(const Erasure& erasure) override {
    const Fault fault = faults_.pass(Step::erase);
    if (fault == Fault::throw_exception) throw_on_purpose(Step::erase);
    if (fault == Fault::fail) return told_to_fail(Step::erase);
    auto outcome = real().erase(erasure);
    if (fault == Fault::lose_and_fail) return told_to_fail(Step::erase);
    return outcome;
  }
  Result<std::vector<ErasureRecord>> recorded(const StreamName& stream) override {
    return real().recorded(stream);
  }

 private:
  /// Pre: the storage has it.
  ErasureStore& real() {
    return *static_cast<ErasureStore*>(storage_.query(ErasureStore::kInterface));
  }

  Storage& storage_;
  Faults& faults_;
};

}  // namespace

class FaultyStorage::Impl {
 public:
  Impl(Storage& s, Faults& f) : storage(s), faults(f) {}

  Storage& storage;
  Faults& faults;
  FaultyLedger ledger{storage, faults};
  FaultyReader reader{storage, faults};
  FaultyErasures erasures{storage, faults};
};

FaultyStorage::FaultyStorage(Storage& storage, Faults& faults)
    : impl_(std::make_unique<Impl>(storage, faults)) {}
FaultyStorage::~FaultyStorage() = default;

Status FaultyStorage::open() {
  return impl_->storage.open();
}
Status FaultyStorage::check() {
  return impl_->storage.check();
}
Status FaultyStorage::migrate(const StoreIdentity& identity) {
  return impl_->storage.migrate(identity);
}
void FaultyStorage::close() {
  impl_->storage.close();
}
Health FaultyStorage::health() {
  return impl_->storage.health();
}
StorageCapabilities FaultyStorage::capabilities() const {
  return impl_->storage.capabilities();
}
std::string FaultyStorage::guarantees() const {
  return impl_->storage.guarantees();
}

Result<std::unique_ptr<Lane>> FaultyStorage::lane(LaneNumber number,
                                                  std::chrono::milliseconds wait) {
  Result<std::unique_ptr<Lane>> lane = impl_->storage.lane(number, wait);
  if (!lane.ok()) return lane;
  return Result<std::unique_ptr<Lane>>(
      std::make_unique<FaultyLane>(std::move(*lane), impl_->faults));
}

Result<std::vector<Verdict>> FaultyStorage::resolve(std::span<const Token> tokens) {
  if (Status status = pass_step(impl_->faults, Step::resolve); !status.ok()) return status;
  return impl_->storage.resolve(tokens);
}

Status FaultyStorage::fence(const Token& token) {
  return impl_->storage.fence(token);
}
Ledger& FaultyStorage::ledger() {
  return impl_->ledger;
}
Reader& FaultyStorage::reader() {
  return impl_->reader;
}
void* FaultyStorage::query(std::string_view interface_id) {
  void* const found = impl_->storage.query(interface_id);
  if (found == nullptr || interface_id != ErasureStore::kInterface) return found;
  return static_cast<ErasureStore*>(&impl_->erasures);
}

}  // namespace vouch::testkit
