#include "storage_trial.h"

#include <filesystem>
#include <string>
#include <thread>

#include "vouch/scratch.h"

namespace vouch::conformance {
namespace {

namespace fs = std::filesystem;

/// For a server to see the end of connections that were cut.
constexpr std::chrono::milliseconds kServerNotices{500};

void must(const char* done, const Status& status) {
  if (!status.ok()) throw ConformanceFailure(done, "ok", status.to_string());
}

ScratchPlace* scratch_of(Storage& storage) {
  return static_cast<ScratchPlace*>(storage.query(ScratchPlace::kInterface));
}

/// Files and directories as they are now: what a killed process leaves behind.
void copy_files(const fs::path& from, const fs::path& to) {
  fs::create_directories(to);
  for (const auto& entry : fs::recursive_directory_iterator(from)) {
    const fs::path target = to / fs::relative(entry.path(), from);
    if (entry.is_directory()) fs::create_directories(target);
    if (entry.is_regular_file()) fs::copy_file(entry.path(), target);
  }
}

}  // namespace

StorageTrial::StorageTrial(Trial& trial) : trial_(trial), place_(trial.place()) {
  if (trial_.settings(place_); trial_.uses().directory) {
    place_.directory += "/data";
    fs::create_directory(place_.directory);
  }
  start();
}

StorageTrial::~StorageTrial() {
  for (const Host& host : hosts_) {
    if (host.proxy) host.proxy->refuse(false);
    (*host.object)->close();
  }
  hosts_.clear();
  remove_place(trial_);
}

void StorageTrial::start() {
  Host host;
  host.proxy = trial_.make_proxy();
  if (host.proxy) place_.server = "127.0.0.1:" + std::to_string(host.proxy->port());
  host.object = std::make_unique<Made<Storage>>(trial_, trial_.settings(place_));
  hosts_.push_back(std::move(host));
  try {
    set_up(storage());
  } catch (...) {
    storage().close();
    hosts_.pop_back();
    throw;
  }
}

void StorageTrial::set_up(Storage& storage) {
  if (ScratchPlace* const scratch = scratch_of(storage); scratch != nullptr && hosts_.size() == 1) {
    const Status made = scratch->make();
    // A place that is not named as a trial's is the user's to make and to remove.
    if (made.code() != StatusCode::failed_precondition) must("made a place for the case", made);
  }
  must("opened the storage", storage.open());
  must("checked the storage", storage.check());
  must("migrated the storage", storage.migrate(identity()));
}

void StorageTrial::reopen() {
  storage().close();
  start();
}

void StorageTrial::crash() {
  const Host& host = hosts_.back();
  if (host.proxy && trial_.uses().server) {
    host.proxy->refuse(true);
    host.proxy->cut_all();
    std::this_thread::sleep_for(kServerNotices);
  } else if (trial_.uses().directory) {
    const std::string after =
        trial_.place().directory + "/after-crash-" + std::to_string(hosts_.size());
    copy_files(place_.directory, after);
    place_.directory = after;
  } else {
    throw CaseSkipped(
        "needs a storage that keeps its files below ${VOUCH_CASE_DIRECTORY}, or one whose server "
        "is reached as ${VOUCH_CASE_SERVER} (--server HOST:PORT)");
  }
  start();
}

void remove_place(Trial& trial) {
  CasePlace place = trial.place();
  const auto proxy = trial.make_proxy();
  if (proxy) place.server = "127.0.0.1:" + std::to_string(proxy->port());
  const Made<Storage> object(trial, trial.settings(place));
  if (ScratchPlace* const scratch = scratch_of(*object); scratch != nullptr) {
    ignore_status(scratch->remove(), "a place that is not named as a trial's is the user's");
  }
}

}  // namespace vouch::conformance
