// GuardedStorage: the calls of the storage itself.
#include "plugins/guarded_storage.h"

#include <utility>

#include "call_guard.h"
#include "guarded_parts.h"

namespace vouch::plugins {

class GuardedStorage::Impl {
 public:
  Impl(Storage* plugin, void (*destroy_plugin)(Plugin*), std::string name, HostServices& services,
       CallWatch* watch)
      : storage(*plugin),
        destroy(destroy_plugin),
        guard(std::move(name), "vouch_storage_operation_duration_seconds", "plugin", services,
              watch),
        operations(guard),
        ledger(storage, guard, operations),
        reader(storage, guard, operations),
        snapshots(guard, operations),
        dead_letters(guard, operations),
        hosts(guard, operations),
        erasures(guard, operations) {}

  Storage& storage;
  void (*const destroy)(Plugin*);
  CallGuard guard;
  const StorageOperations operations;
  GuardedLedger ledger;
  GuardedReader reader;
  GuardedSnapshots snapshots;
  GuardedDeadLetters dead_letters;
  GuardedHosts hosts;
  GuardedErasures erasures;
};

GuardedStorage::GuardedStorage(Storage* storage, void (*destroy)(Plugin*), std::string name,
                               HostServices& services, CallWatch* watch)
    : impl_(std::make_unique<Impl>(storage, destroy, std::move(name), services, watch)) {}

GuardedStorage::~GuardedStorage() {
  impl_->guard.unmeasured(
      "destroy", [this] { impl_->destroy(&impl_->storage); }, [](const Status&) {});
}

Status GuardedStorage::open() {
  return impl_->guard.run(impl_->operations.open, [this] { return impl_->storage.open(); });
}

Status GuardedStorage::check() {
  return impl_->guard.run(impl_->operations.check, [this] { return impl_->storage.check(); });
}

Status GuardedStorage::migrate(const StoreIdentity& identity) {
  return impl_->guard.run(impl_->operations.migrate,
                          [&] { return impl_->storage.migrate(identity); });
}

void GuardedStorage::close() {
  impl_->guard.run(
      impl_->operations.close, [this] { impl_->storage.close(); }, [](const Status&) {});
}

Health GuardedStorage::health() {
  return impl_->guard.run(
      impl_->operations.health, [this] { return impl_->storage.health(); },
      [](const Status& status) {
        return Health{false, status.message()};
      });
}

StorageCapabilities GuardedStorage::capabilities() const {
  return impl_->guard.run(
      impl_->operations.capabilities, [this] { return impl_->storage.capabilities(); },
      [](const Status&) {
        StorageCapabilities least;
        least.max_lanes = 1;
        return least;
      });
}

std::string GuardedStorage::guarantees() const {
  return impl_->guard.run(
      impl_->operations.guarantees, [this] { return impl_->storage.guarantees(); },
      [](const Status& status) { return "unknown: " + status.message(); });
}

Result<std::unique_ptr<Lane>> GuardedStorage::lane(LaneNumber number,
                                                   std::chrono::milliseconds wait) {
  const CallGuard::Operation& operation = impl_->operations.lane;
  auto lane =
      impl_->guard.run(operation.waiting(wait), [&] { return impl_->storage.lane(number, wait); });
  if (!lane.ok()) return lane.status();
  if (*lane == nullptr) return impl_->guard.violation(operation.name, "gave no lane");
  return std::unique_ptr<Lane>(std::make_unique<GuardedLane>(std::move(lane).value(), number,
                                                             impl_->guard, impl_->operations));
}

Result<std::vector<Verdict>> GuardedStorage::resolve(std::span<const Token> tokens) {
  const CallGuard::Operation& operation = impl_->operations.resolve;
  return of_size(impl_->guard.run(operation, [&] { return impl_->storage.resolve(tokens); }),
                 tokens.size(), impl_->guard, operation.name);
}

Status GuardedStorage::fence(const Token& token) {
  return impl_->guard.run(impl_->operations.fence, [&] { return impl_->storage.fence(token); });
}

Ledger& GuardedStorage::ledger() {
  return impl_->ledger;
}

Reader& GuardedStorage::reader() {
  return impl_->reader;
}

void* GuardedStorage::query(std::string_view interface_id) {
  void* const found = impl_->guard.run(
      impl_->operations.query, [&] { return impl_->storage.query(interface_id); },
      [](const Status&) -> void* { return nullptr; });
  if (found != nullptr && interface_id == DeadLetterStore::kInterface) {
    impl_->dead_letters.bind(static_cast<DeadLetterStore*>(found));
    return static_cast<DeadLetterStore*>(&impl_->dead_letters);
  }
  if (found != nullptr && interface_id == HostRegistry::kInterface) {
    impl_->hosts.bind(static_cast<HostRegistry*>(found));
    return static_cast<HostRegistry*>(&impl_->hosts);
  }
  if (found != nullptr && interface_id == ErasureStore::kInterface) {
    impl_->erasures.bind(static_cast<ErasureStore*>(found));
    return static_cast<ErasureStore*>(&impl_->erasures);
  }
  if (found == nullptr || interface_id != SnapshotStore::kInterface) return found;
  impl_->snapshots.bind(static_cast<SnapshotStore*>(found));
  return static_cast<SnapshotStore*>(&impl_->snapshots);
}

}  // namespace vouch::plugins
