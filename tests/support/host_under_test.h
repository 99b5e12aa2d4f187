// The host's rooms wired as the executable wires them, over the testkit's broker and a storage:
// the testkit's, or a real one behind the testkit's faults. Several hosts may share one World; a
// World outlives the crashes of its hosts.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "append/append_service.h"
#include "read/live_feed.h"
#include "replay/replay.h"
#include "saga/saga.h"
#include "vouch/testkit/faults.h"
#include "vouch/testkit/memory_broker.h"
#include "vouch/testkit/memory_storage.h"
#include "vouch/testkit/test_services.h"

namespace vouch::tests {

/// A host's storage, and a way to kill the host that has it.
class HostStorage {
 public:
  HostStorage() = default;
  HostStorage(const HostStorage&) = delete;
  HostStorage& operator=(const HostStorage&) = delete;
  virtual ~HostStorage() = default;
  virtual Storage& storage() = 0;
  /// Its sessions end as those of a killed process do.
  virtual void crash() = 0;
};

/// What lives outside the host: the database and the broker.
struct World {
  testkit::Faults faults;
  testkit::MemoryDatabase database;
  /// Gives a host the storage of another database than `database`.
  std::function<std::unique_ptr<HostStorage>()> other_storage;
  testkit::MemoryExchange exchange{faults};
  /// A second broker, for hosts with two routes.
  testkit::Faults edge_faults;
  testkit::MemoryExchange edge{edge_faults};
  std::uint32_t partitions = 4;
  std::uint32_t max_lanes = 0;
};

struct HostSettings {
  std::uint32_t lanes = 2;
  std::uint32_t first_lane = 0;
  std::uint32_t max_group_events = 500;
  std::uint32_t queue_events = 20'000;
  std::chrono::milliseconds queue_timeout{15'000};
  std::chrono::milliseconds publish_timeout{500};
  std::chrono::milliseconds resolve_timeout{2'000};
  std::chrono::milliseconds idempotency_wait{2'000};
  std::chrono::milliseconds sweep_interval{100};
  bool binary = false;                  ///< format of the outbound route
  bool edge = false;                    ///< a second route, to the edge broker
  std::vector<std::string> edge_types;  ///< its types; empty: all
  std::uint32_t max_round_events = 2'000;
  std::chrono::milliseconds host_interval{20};
};

/// A host's storage in the World's own database.
class MemoryHostStorage final : public HostStorage {
 public:
  explicit MemoryHostStorage(World& world)
      : storage_(world.database, world.faults, {world.max_lanes, std::chrono::milliseconds(300)}) {}
  Storage& storage() override { return storage_; }
  void crash() override { storage_.crash(); }

 private:
  testkit::MemoryStorage storage_;
};

/// One running host.
class Host final : public append::TransactionListener {
 public:
  explicit Host(World& world, const HostSettings& settings = {})
      : storage_(world.other_storage ? world.other_storage()
                                     : std::make_unique<MemoryHostStorage>(world)),
        broker_(world.exchange),
        edge_(world.edge) {
    must(storage().open());
    must(storage().check());
    must(storage().migrate({"shop", world.partitions}));
    must(broker_.open());
    must(edge_.open());
    saga::SagaOptions saga_options;
    saga_options.store = "shop";
    saga_options.partitions = world.partitions;
    saga_options.sweep_interval = settings.sweep_interval;
    saga_options.publish_timeout = settings.publish_timeout;
    saga_options.max_round_events = settings.max_round_events;
    saga_options.first_retry = std::chrono::milliseconds(5);
    saga_options.max_retry = std::chrono::milliseconds(50);
    saga_options.host_interval = settings.host_interval;
    std::vector<saga::Route> routes;
    routes.push_back({"main",
                      &broker_,
                      "main",
                      *format::TopicTemplate::parse("events.{category}"),
                      {},
                      {},
                      settings.binary});
    if (settings.edge) {
      routes.push_back({"edge",
                        &edge_,
                        "edge",
                        *format::TopicTemplate::parse("edge/{stream}"),
                        {},
                        settings.edge_types,
                        false});
    }
    replay::ReplayOptions replay_options;
    replay_options.store = "shop";
    replay_options.partitions = world.partitions;
    replay_options.publish_timeout = settings.publish_timeout;
    replay_options.first_retry = std::chrono::milliseconds(5);
    replay_options.max_retry = std::chrono::milliseconds(50);
    replays_ = std::make_unique<replay::Replays>(replay_options, storage(), routes, services_);
    saga_ = std::make_unique<saga::Saga>(saga_options, storage(), broker_, std::move(routes),
                                         services_);
    append::AppendOptions append_options;
    append_options.store = "shop";
    append_options.partitions = world.partitions;
    append_options.lanes = settings.lanes;
    append_options.first_lane = settings.first_lane;
    append_options.max_group_events = settings.max_group_events;
    append_options.queue_events = settings.queue_events;
    append_options.queue_timeout = settings.queue_timeout;
    append_options.publish_timeout = settings.publish_timeout;
    append_options.resolve_timeout = settings.resolve_timeout;
    append_options.idempotency_wait = settings.idempotency_wait;
    appends_ = std::make_unique<append::AppendService>(append_options, storage(), broker_, *this,
                                                       services_);
    live_feed_ =
        std::make_unique<read::LiveFeed>(read::LiveFeedOptions{}, storage().reader(), services_);
    must(saga_->start());
    must(live_feed_->start());
    must(appends_->start());
  }

  ~Host() { stop(); }

  /// Drains and stops in the executable's order.
  void stop(std::chrono::milliseconds limit = std::chrono::seconds(5)) {
    if (stopped_) return;
    stopped_ = true;
    const auto deadline = std::chrono::steady_clock::now() + limit;
    appends_->stop(deadline);
    saga_->stop(deadline);
    live_feed_->stop();
    broker_.close();
    edge_.close();
    storage().close();
  }

  /// As kill -9 looks to the outside: the database ends the sessions, nothing is finished.
  void kill() {
    crash_storage();
    stop(std::chrono::milliseconds(0));
  }

  append::AppendService& appends() { return *appends_; }
  saga::Saga& saga() { return *saga_; }
  replay::Replays& replays() { return *replays_; }
  read::LiveFeed& live_feed() { return *live_feed_; }
  Storage& storage() { return storage_->storage(); }
  /// The database ends the host's sessions; the host goes on.
  void crash_storage() { storage_->crash(); }
  testkit::TestServices& services() { return services_; }

 private:
  static void must(const Status& status) {
    if (!status.ok()) throw std::runtime_error(status.to_string());
  }

  void written(std::vector<Append> appends, const StagedGroup& staged) override {
    saga_->keep_written(std::move(appends), staged);
  }
  void ended(const Token& token, bool committed) override {
    saga_->transaction_ended(token, committed);
    if (committed) live_feed_->poke();
  }

  testkit::TestServices services_;
  std::unique_ptr<HostStorage> storage_;
  testkit::MemoryBroker broker_;
  testkit::MemoryBroker edge_;
  std::unique_ptr<replay::Replays> replays_;
  std::unique_ptr<saga::Saga> saga_;
  std::unique_ptr<append::AppendService> appends_;
  std::unique_ptr<read::LiveFeed> live_feed_;
  bool stopped_ = false;
};

/// An append of `count` events of type "happened" with data {"n":i}.
inline Append make_append(std::string_view stream, std::size_t count = 1,
                          ExpectedVersion expected = ExpectedVersion::any()) {
  Write write;
  write.stream = StreamName::unchecked(std::string(stream));
  write.expected = expected;
  for (std::size_t i = 0; i < count; ++i) {
    NewEvent event;
    event.type = "happened";
    event.content_type = "application/json";
    event.data = "{\"n\":" + std::to_string(i) + "}";
    write.events.push_back(std::move(event));
  }
  Append append;
  append.writes.push_back(std::move(write));
  return append;
}

/// (stream, version) of an outbound message, from its envelope's subject and sequence.
struct Published {
  std::string stream;
  std::uint64_t version = 0;
  auto operator<=>(const Published&) const = default;
};

inline Published published(const testkit::TakenMessage& message) {
  static constexpr std::string_view kSequence = "\"sequence\":\"";
  const std::size_t at = message.payload.find(kSequence);
  if (at == std::string::npos) throw std::runtime_error("no sequence in " + message.payload);
  return {message.key, std::stoull(message.payload.substr(at + kSequence.size(), 20))};
}

inline std::vector<Published> published(const testkit::MemoryExchange& exchange) {
  std::vector<Published> all;
  for (const testkit::TakenMessage& message : exchange.outbound())
    all.push_back(published(message));
  return all;
}

}  // namespace vouch::tests
