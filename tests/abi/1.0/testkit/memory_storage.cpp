// MemoryStorage: one host's connection to a MemoryDatabase. Lanes, ledger, reader and snapshots
// live in files of their own.
#include "vouch/testkit/memory_storage.h"

#include <utility>

#include "memory_host.h"

namespace vouch::testkit {

Status HostState::usable() const {
  if (crashed.load()) return {StatusCode::unavailable, "this host crashed"};
  if (!open.load()) return {StatusCode::unavailable, "the storage is not open"};
  return {};
}

Status HostState::enter(Step step) {
  if (Status status = pass_step(faults, step); !status.ok()) return status;
  return usable();
}

class MemoryStorage::Impl {
 public:
  explicit Impl(HostPtr state) : host(std::move(state)) {}

  HostPtr host;
  MemoryLedger ledger{host};
  MemoryReader reader{host};
  MemorySnapshots snapshots{host};
  MemoryDeadLetters dead_letters{host};
  MemoryHosts hosts{host};
  MemoryErasures erasures{host};
};

MemoryStorage::MemoryStorage(MemoryDatabase& database, Faults& faults, MemoryStorageOptions options)
    : impl_(std::make_unique<Impl>(std::make_shared<HostState>(database.impl(), faults, options))) {
}

MemoryStorage::~MemoryStorage() {
  close();
}

void MemoryStorage::crash() {
  HostState& host = *impl_->host;
  const std::lock_guard lock(host.database.mutex);
  host.crashed.store(true);
  host.marked.clear();
  host.database.end_host(&host);
}

Status MemoryStorage::open() {
  if (impl_->host->crashed.load()) return impl_->host->usable();
  impl_->host->open.store(true);
  return {};
}

Status MemoryStorage::check() {
  return impl_->host->usable();
}

Status MemoryStorage::migrate(const StoreIdentity& identity) {
  if (Status status = impl_->host->usable(); !status.ok()) return status;
  if (identity.name.empty() || identity.partitions == 0) {
    return {StatusCode::invalid_argument, "a store needs a name and at least one partition"};
  }
  MemoryDatabase::Impl& database = impl_->host->database;
  const std::lock_guard lock(database.mutex);
  if (!database.identity) database.identity = identity;
  const StoreIdentity& recorded = *database.identity;
  if (recorded.name == identity.name && recorded.partitions == identity.partitions) return {};
  const auto describe = [](const StoreIdentity& store) {
    return "\"" + store.name + "\" with " + std::to_string(store.partitions) + " partitions";
  };
  return {StatusCode::failed_precondition,
          "the database holds the store " + describe(recorded) + ", not " + describe(identity)};
}

void MemoryStorage::close() {
  HostState& host = *impl_->host;
  const std::lock_guard lock(host.database.mutex);
  // An orderly end writes the marks that a crash loses.
  for (const DeliveryId& id : host.marked) host.database.mark(id);
  host.marked.clear();
  host.database.end_host(&host);
  host.open.store(false);
}

Health MemoryStorage::health() {
  const Status status = impl_->host->usable();
  return {status.ok(), status.message()};
}

StorageCapabilities MemoryStorage::capabilities() const {
  StorageCapabilities capabilities;
  capabilities.max_lanes = impl_->host->options.max_lanes;
  capabilities.several_hosts = capabilities.max_lanes != 1;
  capabilities.online_schema_change = true;
  return capabilities;
}

std::string MemoryStorage::guarantees() const {
  return "Commits survive a crash of the host, not the end of the process: they are in memory.";
}

Result<std::unique_ptr<Lane>> MemoryStorage::lane(LaneNumber number,
                                                  std::chrono::milliseconds wait) {
  const HostPtr& host = impl_->host;
  if (Status status = host->usable(); !status.ok()) return status;
  MemoryDatabase::Impl& database = host->database;
  std::unique_lock lock(database.mutex);
  if (!database.identity) {
    return Status(StatusCode::failed_precondition, "the store was not migrated");
  }
  const std::uint32_t limit = host->options.max_lanes;
  const bool free = database.ended.wait_for(lock, wait, [&] {
    return !database.sessions.contains(number) && (limit == 0 || database.sessions.size() < limit);
  });
  if (!free) {
    return Status(StatusCode::held,
                  "lane " + std::to_string(number.value) + " is held by another session");
  }
  return make_memory_lane(host, database.open_session(number, host.get()));
}

Result<std::vector<Verdict>> MemoryStorage::resolve(std::span<const Token> tokens) {
  if (Status status = impl_->host->enter(Step::resolve); !status.ok()) return status;
  const MemoryDatabase::Impl& database = impl_->host->database;
  const std::lock_guard lock(database.mutex);
  std::vector<Verdict> verdicts;
  for (const Token& token : tokens) verdicts.push_back(database.resolve(token));
  return verdicts;
}

Status MemoryStorage::fence(const Token& token) {
  if (Status status = impl_->host->usable(); !status.ok()) return status;
  MemoryDatabase::Impl& database = impl_->host->database;
  const std::lock_guard lock(database.mutex);
  const auto found = database.sessions.find(token.lane);
  if (found == database.sessions.end()) return {};
  const SessionPtr session = found->second;
  if (session->open && session->open->token == token) database.end_session(*session);
  return {};
}

Ledger& MemoryStorage::ledger() {
  return impl_->ledger;
}
Reader& MemoryStorage::reader() {
  return impl_->reader;
}

void* MemoryStorage::query(std::string_view interface_id) {
  if (interface_id == HostRegistry::kInterface) return static_cast<HostRegistry*>(&impl_->hosts);
  if (interface_id == DeadLetterStore::kInterface) {
    return static_cast<DeadLetterStore*>(&impl_->dead_letters);
  }
  if (interface_id == ErasureStore::kInterface) {
    return static_cast<ErasureStore*>(&impl_->erasures);
  }
  if (interface_id != SnapshotStore::kInterface) return nullptr;
  return static_cast<SnapshotStore*>(&impl_->snapshots);
}

}  // namespace vouch::testkit
