// Create, open, close, destroy: in every order that a host may come to, and what must not stay
// behind.
#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

#include "check.h"
#include "vouch/broker.h"
#include "vouch/conformance/case.h"
#include "vouch/conformance/storage_suite.h"
#include "vouch/scratch.h"
#include "vouch/storage.h"

namespace vouch::conformance {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kConnectTime{20};
/// For threads that were told to end.
constexpr std::chrono::seconds kThreadTime{5};

void must(const char* done, const Status& status) {
  if (!status.ok()) throw ConformanceFailure(done, "ok", status.to_string());
}

std::size_t threads() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& thread : fs::directory_iterator("/proc/self/task")) ++count;
  return count;
}

/// The place in the user's database, made for the case and removed after it.
class ScratchGuard {
 public:
  explicit ScratchGuard(Trial& trial) {
    if (trial.plugin().kind != PluginKind::storage) return;
    settings_ = trial.settings();
    object_ = std::make_unique<Made<Storage>>(trial, settings_);
    scratch_ = static_cast<ScratchPlace*>((*object_)->query(ScratchPlace::kInterface));
    if (scratch_ == nullptr) return;
    const Status made = scratch_->make();
    if (made.code() != StatusCode::failed_precondition) must("made a place for the case", made);
  }
  ScratchGuard(const ScratchGuard&) = delete;
  ScratchGuard& operator=(const ScratchGuard&) = delete;
  ~ScratchGuard() {
    if (scratch_ != nullptr) ignore_status(scratch_->remove(), "not named as a trial's");
  }

 private:
  values::SettingValues settings_;
  std::unique_ptr<Made<Storage>> object_;
  ScratchPlace* scratch_ = nullptr;
};

/// Opens as a host does at its start.
void open(Storage& storage) {
  must("opened the storage", storage.open());
  must("checked the storage", storage.check());
  must("migrated the storage", storage.migrate(StorageUnderTest::identity()));
}

void open(Broker& broker) {
  must("opened the broker", broker.open());
  must("waited for the broker to be connected", broker.ensure({}, kConnectTime));
}

/// A trial and settings that reach the server without a proxy's faults.
template <typename T>
class Life {
 public:
  Life(const Options& options, const CasePlace& place)
      : trial(options, place), proxy_(trial.make_proxy()), place_(trial.place()) {
    if (proxy_) place_.server = "127.0.0.1:" + std::to_string(proxy_->port());
    settings = trial.settings(place_);
  }
  std::unique_ptr<Made<T>> make() { return std::make_unique<Made<T>>(trial, settings); }
  /// With another ${VOUCH_CASE_ID}, and everything else the same.
  values::SettingValues settings_of_another() {
    CasePlace other = place_;
    other.id += "b";
    return trial.settings(other);
  }

  Trial trial;
  values::SettingValues settings;

 private:
  std::unique_ptr<proxy::Proxy> proxy_;
  CasePlace place_;
};

template <typename T>
void create_touches_nothing(const Options& options, const CasePlace& place) {
  Life<T> life(options, place);
  const std::size_t before = threads();
  const auto object = life.make();
  if (threads() > before) throw ConformanceFailure("called create", "no thread started", "one");
  if (!fs::is_empty(place.directory)) {
    throw ConformanceFailure("called create", "no file made",
                             fs::directory_iterator(place.directory)->path().filename().string());
  }
}

template <typename T>
void close_without_open(const Options& options, const CasePlace& place) {
  Life<T> life(options, place);
  const auto object = life.make();
  (*object)->close();
  (*object)->close();
}

/// The first case that reaches the backend: what is wrong with that is told here, once.
template <typename T>
void opens(const Options& options, const CasePlace& place) {
  if (options.server) {
    const Status there = proxy::Proxy::look_for_server(options.server->host, options.server->port);
    if (!there.ok()) {
      throw ConformanceFailure("connected to the server of --server, " + options.server->text(),
                               "a server that listens", there.message());
    }
  }
  Life<T> life(options, place);
  const ScratchGuard scratch(life.trial);
  const auto object = life.make();
  open(**object);
  (*object)->close();
}

template <typename T>
void several_lives(const Options& options, const CasePlace& place) {
  Life<T> life(options, place);
  const ScratchGuard scratch(life.trial);
  for (int round = 0; round < 2; ++round) {
    const auto object = life.make();
    open(**object);
    (*object)->close();
    (*object)->close();
  }
}

template <typename T>
void threads_end(const Options& options, const CasePlace& place) {
  Life<T> life(options, place);
  const ScratchGuard scratch(life.trial);
  // What a client library starts once for the process stays.
  for (int round = 0; round < 2; ++round) {
    const std::size_t before = threads();
    {
      const auto object = life.make();
      open(**object);
      (*object)->close();
    }
    const auto deadline = std::chrono::steady_clock::now() + kThreadTime;
    while (threads() > before && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    if (round == 1 && threads() > before) {
      throw ConformanceFailure("closed and destroyed", std::to_string(before) + " threads",
                               std::to_string(threads()));
    }
  }
}

template <typename T>
void query_is_honest(const Options& options, const CasePlace& place) {
  Life<T> life(options, place);
  const auto object = life.make();
  if ((*object)->query("vouch.no.such.interface/1") != nullptr) {
    throw ConformanceFailure("asked for an interface that does not exist", "null", "a pointer");
  }
  for (const char* id :
       {SnapshotStore::kInterface, ScratchPlace::kInterface, ScratchTopics::kInterface}) {
    if ((*object)->query(id) == (*object)->query(id)) continue;
    throw ConformanceFailure("asked twice for " + std::string(id), "the same pointer",
                             "another one");
  }
}

/// One plugin serves several brokers of a configuration, each under a name of its own.
void two_brokers(const Options& options, const CasePlace& place) {
  Life<Broker> life(options, place);
  const auto first = life.make();
  open(**first);
  {
    const values::SettingValues settings = life.settings_of_another();
    const Made<Broker> second(life.trial, settings);
    open(*second);
    second->close();
  }
  if (const Health health = (*first)->health(); !health.ok) {
    throw ConformanceFailure("closed and destroyed the second of two brokers", "a first that is ok",
                             health.detail);
  }
  (*first)->close();
}

template <typename T>
std::vector<Check> common() {
  return {
      {"lifecycle.create_touches_nothing", "create does no I/O and starts no thread.",
       create_touches_nothing<T>, false},
      {"lifecycle.close_without_open",
       "An object that was never opened may be closed, twice, and destroyed.",
       close_without_open<T>, false},
      {"lifecycle.query_is_honest",
       "query gives null for an interface that is not there, and always the same pointer.",
       query_is_honest<T>, false},
      {std::string(kOpens),
       "With the given settings the plugin opens: its backend is there, fit, and made ready.",
       opens<T>},
      {"lifecycle.several_lives",
       "Objects are made, opened, closed twice and destroyed, one after the other.",
       several_lives<T>},
      {"lifecycle.threads_end", "close and destroy end every thread that the object started.",
       threads_end<T>},
  };
}

}  // namespace

std::vector<Check> lifecycle_checks(PluginKind kind) {
  if (kind == PluginKind::storage) return common<Storage>();
  std::vector<Check> all = common<Broker>();
  all.push_back({"lifecycle.two_brokers",
                 "Two brokers of one plugin live beside each other without sharing state.",
                 two_brokers});
  return all;
}

}  // namespace vouch::conformance
