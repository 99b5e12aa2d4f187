#include "journal_storage.h"

#include "journal_lane.h"

namespace storage_journal {

using namespace vouch;

JournalStorage::JournalStorage(Options options, HostServices& services)
    : options_(std::move(options)),
      core_(std::make_shared<Core>(services)),
      ledger_(core_),
      reader_(core_) {}

Status JournalStorage::open() {
  const std::lock_guard lock(core_->mutex);
  if (core_->journal != nullptr) return {};
  State state;
  auto journal =
      Journal::open(options_.directory, [&](std::string_view entry) { return state.apply(entry); });
  if (!journal.ok()) return journal.status();
  state.loaded();
  core_->state = std::move(state);
  core_->journal = *std::move(journal);
  core_->failed = false;
  return {};
}

Status JournalStorage::check() {
  const std::lock_guard lock(core_->mutex);
  return core_->usable();
}

Status JournalStorage::migrate(const StoreIdentity& identity) {
  const std::lock_guard lock(core_->mutex);
  if (Status status = core_->usable(); !status.ok()) return status;
  if (identity.name.empty() || identity.partitions == 0) {
    return {StatusCode::invalid_argument, "a store needs a name and at least one partition"};
  }
  const std::optional<StoreIdentity>& recorded = core_->state.identity;
  if (!recorded) return core_->write(State::identity_entry(identity), true).why;
  if (recorded->name == identity.name && recorded->partitions == identity.partitions) return {};
  const auto words = [](const StoreIdentity& store) {
    return "'" + store.name + "' with " + std::to_string(store.partitions) + " partitions";
  };
  return {StatusCode::failed_precondition, "the directory " + options_.directory +
                                               " holds the store " + words(*recorded) + ", not " +
                                               words(identity)};
}

void JournalStorage::close() {
  const std::lock_guard lock(core_->mutex);
  if (core_->session != nullptr) core_->end_session(*core_->session);
  for (const auto& [partition, held] : core_->claims) held->store(false);
  core_->claims.clear();
  core_->journal.reset();
}

Health JournalStorage::health() {
  const std::lock_guard lock(core_->mutex);
  const Status status = core_->usable();
  return {status.ok(), status.ok() ? "a journal in " + options_.directory : status.message()};
}

StorageCapabilities JournalStorage::capabilities() const {
  StorageCapabilities capabilities;
  capabilities.max_lanes = 1;
  capabilities.several_hosts = false;
  return capabilities;
}

std::string JournalStorage::guarantees() const {
  return "A commit is on the disk of this machine: it survives a crash of the process and a power "
         "cut, not the loss of the disk. The whole store is kept in memory too.";
}

Result<std::unique_ptr<Lane>> JournalStorage::lane(LaneNumber number,
                                                   std::chrono::milliseconds wait) {
  std::unique_lock lock(core_->mutex);
  if (Status status = core_->migrated(); !status.ok()) return status;
  const auto free = [this] { return core_->session == nullptr; };
  if (!core_->session_ended.wait_for(lock, wait, free)) {
    return Status(StatusCode::held, "lane " + std::to_string(core_->session->lane.value) +
                                        " is open, and this storage has one at a time");
  }
  auto session = core_->open_session(number);
  if (!session.ok()) return session.status();
  return make_lane(core_, *std::move(session));
}

// [resolve]
Result<std::vector<Verdict>> JournalStorage::resolve(std::span<const Token> tokens) {
  const std::lock_guard lock(core_->mutex);
  if (Status status = core_->migrated(); !status.ok()) return status;
  std::vector<Verdict> verdicts;
  for (const Token& token : tokens) {
    const auto& session = core_->session;
    const bool open = session != nullptr && session->open && session->open->token == token;
    verdicts.push_back(open ? Verdict::in_progress : core_->state.resolve(token));
  }
  return verdicts;
}

Status JournalStorage::fence(const Token& token) {
  const std::lock_guard lock(core_->mutex);
  const auto session = core_->session;
  if (session != nullptr && session->open && session->open->token == token) {
    core_->end_session(*session);
  }
  return {};
}
// [resolve]

}  // namespace storage_journal
