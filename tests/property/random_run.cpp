#include "random_run.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <random>
#include <thread>

#include "host_on_server.h"
#include "invariants.h"

namespace vouch::tests {
namespace {

using append::AppendAnswer;
using append::AppendCode;
using std::chrono::steady_clock;
using testkit::Fault;
using testkit::Step;

constexpr int kClients = 3;
constexpr int kOperations = 10;
constexpr std::uint64_t kStreams = 3;

/// What may go wrong at each step without breaking what the host relies on: an outbound broker that
/// acknowledges and loses, or reorders within a key, breaks its contract and is not among them.
std::vector<Fault> possible_faults(Step step) {
  switch (step) {
    case Step::stage:
      return {Fault::fail};
    case Step::publish_validation:
      return {Fault::fail,   Fault::lose,      Fault::lose_and_fail,
              Fault::reject, Fault::duplicate, Fault::reorder};
    case Step::deliver_validation:
      return {Fault::lose, Fault::duplicate, Fault::reorder};
    case Step::commit:
      return {Fault::fail, Fault::lose, Fault::lose_and_fail};
    case Step::publish_outbound:
      return {Fault::fail, Fault::lose_and_fail, Fault::duplicate, Fault::reject};
    case Step::complete:
      return {Fault::fail, Fault::lose};
    case Step::resolve:
    case Step::ready:
    case Step::dead_letter:
    case Step::read:
      return {Fault::fail};
    case Step::rollback:
    case Step::claim:
    case Step::erase:
      return {};
  }
  return {};
}

class RandomRun {
 public:
  RandomRun(std::uint64_t seed, ServerDatabase* server)
      : random_(seed), fault_random_(seed ^ 0xfa17), server_(server) {
    if (server_ != nullptr) {
      keep_on_server(world_, *server_);
    }
    fault_rate_ = std::uniform_real_distribution<>(0.0, 0.35)(random_);
    settings_.lanes = pick(1, 3);
    settings_.publish_timeout = std::chrono::milliseconds(100);
    settings_.resolve_timeout = std::chrono::milliseconds(pick(1, 40));
    settings_.idempotency_wait = std::chrono::milliseconds(200);
    settings_.sweep_interval = std::chrono::milliseconds(10);
    world_.partitions = pick(1, 4);
    settings_.edge = pick(0, 1) == 1;
    settings_.max_round_events = pick(1, 20);
  }

  void execute() {
    start_host();
    world_.faults.decide([this](Step step) { return random_fault(step); });
    world_.edge_faults.decide([this](Step step) { return random_fault(step); });
    std::vector<std::thread> clients;
    for (int client = 0; client < kClients; ++client) {
      clients.emplace_back([this, client, seed = random_()] { be_client(client, seed); });
    }
    std::thread reader([this] { read_feed(); });
    for (std::uint32_t kills = pick(0, 2); kills > 0; --kills) {
      // A real server takes some twenty times as long for what clients want.
      std::this_thread::sleep_for(
          std::chrono::microseconds(pick(0, server_ == nullptr ? 8'000 : 160'000)));
      host()->kill();
      start_host();
    }
    for (std::thread& client : clients) client.join();
    world_.faults.clear();
    world_.edge_faults.clear();
    host()->kill();  // marks that a fault has lost are lost with the host
    start_host();
    const bool finished = finish();
    writing_ = false;
    reader.join();
    if (!finished) throw Violation(what_is_left());
    host()->stop();
    check_invariants(server_ == nullptr ? world_.database.events() : server_->events(),
                     published_on_routes(), history_);
  }

 private:
  std::uint32_t pick(std::uint32_t low, std::uint32_t high) {
    return std::uniform_int_distribution<std::uint32_t>(low, high)(random_);
  }

  std::shared_ptr<Host> host() {
    const std::lock_guard lock(mutex_);
    return host_;
  }

  void start_host() {
    const auto deadline = steady_clock::now() + std::chrono::seconds(20);
    while (true) {
      try {
        auto host = std::make_shared<Host>(world_, settings_);
        const std::lock_guard lock(mutex_);
        host_ = std::move(host);
        return;
      } catch (const std::exception&) {  // a fault at start-up; the operator starts it again
        if (steady_clock::now() > deadline) throw;
      }
    }
  }

  Fault random_fault(Step step) {
    const std::vector<Fault> faults = possible_faults(step);
    const std::lock_guard lock(fault_mutex_);
    if (faults.empty()) return Fault::none;
    if (std::uniform_real_distribution<>(0, 1)(fault_random_) >= fault_rate_) return Fault::none;
    return faults[std::uniform_int_distribution<std::size_t>(0, faults.size() - 1)(fault_random_)];
  }

  void be_client(int client, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    const auto chance = [&](double share) {
      return std::uniform_real_distribution<>(0, 1)(random) < share;
    };
    for (int i = 0; i < kOperations; ++i) {
      Operation operation;
      operation.number = static_cast<std::uint64_t>(client * kOperations + i);
      const std::uint64_t first = random() % kStreams;
      const std::uint64_t parts = chance(0.3) ? 2 + random() % 2 : 1;
      for (std::uint64_t part = 0; part < parts; ++part) {
        operation.parts.push_back({stream(first + part), 1 + random() % 3, some_demand(random)});
      }
      if (parts < kStreams && chance(0.2)) {
        operation.preconditions.push_back({stream(first + parts), some_demand(random)});
      }
      const bool own_ids = chance(0.5);
      const bool key = !own_ids && chance(0.6);
      operation.retry_is_safe = own_ids || key;
      const Append append = make(operation, own_ids, key, random);
      for (int attempt = 0; attempt < 4; ++attempt) {
        operation.answers.push_back(host()->appends().append(append));
        const AppendCode code = operation.answers.back().code;
        const bool over = code == AppendCode::wrong_version || code == AppendCode::committed;
        if (!operation.retry_is_safe || (over && !chance(0.2))) break;
      }
      if (chance(0.1)) retry_dead_letters();
      const std::lock_guard lock(mutex_);
      history_.operations.push_back(std::move(operation));
    }
  }

  static StreamName stream(std::uint64_t number) {
    return StreamName::unchecked("account-" + std::to_string(number % kStreams));
  }

  static ExpectedVersion some_demand(std::mt19937_64& random) {
    switch (random() % 10) {
      case 0:
        return ExpectedVersion::none();
      case 1:
      case 2:
      case 3:
        return ExpectedVersion::exact(Version{random() % 8});
      default:
        return ExpectedVersion::any();
    }
  }

  static Append make(const Operation& operation, bool own_ids, bool key, std::mt19937_64& random) {
    Append append;
    std::size_t place = 0;
    for (const Part& part : operation.parts) {
      Write write = make_append(part.stream.view(), part.events, part.expected).writes[0];
      for (NewEvent& event : write.events) {
        event.data = "{\"op\":" + std::to_string(operation.number) +
                     ",\"i\":" + std::to_string(place++) + "}";
        if (!own_ids) continue;
        for (std::uint8_t& byte : event.id.bytes) byte = static_cast<std::uint8_t>(random());
      }
      append.writes.push_back(std::move(write));
    }
    append.preconditions = operation.preconditions;
    if (key) {
      const std::string scope = operation.parts.size() == 1 ? operation.parts[0].stream.str() : "";
      append.idempotency = Idempotency{scope, "key-" + std::to_string(operation.number), "digest"};
    }
    return append;
  }

  /// Reads the feed page by page, through whichever host runs, until everything written was seen.
  void read_feed() {
    class Sink final : public FeedSink {
     public:
      Sink(std::vector<FeedSighting>& seen, Cursor& cursor) : seen_(seen), cursor_(cursor) {}
      bool event(const EventView& event, std::string_view after) override {
        seen_.push_back({std::string(event.stream), event.version.value, event.id});
        cursor_.bytes = after;
        return true;
      }

     private:
      std::vector<FeedSighting>& seen_;
      Cursor& cursor_;
    };
    Cursor cursor;
    std::vector<FeedSighting> seen;
    while (true) {
      const bool was_writing = writing_.load();
      FeedQuery query;
      query.after = cursor;
      query.limit = 3;
      Sink sink(seen, cursor);
      const std::shared_ptr<Host> reading = host();
      const Result<FeedPage> page = reading->storage().reader().feed(query, sink);
      if (page.ok()) cursor = page->next;
      if (page.ok() && page->at_end && !was_writing) break;
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    const std::lock_guard lock(mutex_);
    history_.feed = std::move(seen);
  }

  /// Waits until the ledger is empty; false when that takes too long.
  bool finish() {
    const auto deadline = steady_clock::now() + std::chrono::seconds(20);
    while (undelivered() > 0 || retry_dead_letters()) {
      if (steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(std::chrono::microseconds(500));
    }
    return true;
  }

  std::vector<std::vector<testkit::TakenMessage>> published_on_routes() {
    std::vector<std::vector<testkit::TakenMessage>> routes{world_.exchange.outbound()};
    if (settings_.edge) routes.push_back(world_.edge.outbound());
    return routes;
  }

  /// As an operator would; returns whether there are any, or it can't be known.
  bool retry_dead_letters() {
    const std::shared_ptr<Host> running = host();
    const auto letters = running->saga().dead_letters({}, 1'000);
    if (!letters.ok()) return true;
    for (const DeadLetter& letter : *letters) {
      ignore_status(running->saga().retry(letter.key, letter.version), "asked again in a moment");
    }
    return !letters->empty();
  }

  std::uint64_t undelivered() {
    return server_ == nullptr ? world_.database.undelivered().size() : server_->undelivered();
  }

  std::string what_is_left() {
    std::string text = "invariant 2 violated: committed events stay undelivered";
    const auto reports = host()->saga().report();
    if (!reports.ok()) return text + "; " + reports.status().to_string();
    for (const saga::PartitionReport& report : *reports) {
      text += "; partition " + std::to_string(report.partition.value) +
              (report.owned ? " owned" : " not owned") + ", undelivered " +
              std::to_string(report.undelivered) + " " + report.problem;
    }
    return text;
  }

  std::mt19937_64 random_;
  std::mt19937_64 fault_random_;
  std::mutex fault_mutex_;
  double fault_rate_ = 0;
  ServerDatabase* server_;
  World world_;
  HostSettings settings_;
  std::mutex mutex_;
  std::shared_ptr<Host> host_;
  std::atomic<bool> writing_{true};
  History history_;
};

}  // namespace

void random_run(std::uint64_t seed, ServerDatabase* server) {
  RandomRun(seed, server).execute();
}

}  // namespace vouch::tests
