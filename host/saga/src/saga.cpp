#include "saga/saga.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>
#include <utility>

#include "completion.h"
#include "dead_letters.h"
#include "delivered_waiters.h"
#include "partition_table.h"
#include "publish/deadline.h"
#include "route_delivery.h"
#include "signal_book.h"
#include "vouch/thread_name.h"
#include "written_events.h"

namespace vouch::saga {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::minutes kPurgeInterval{1};
constexpr std::uint32_t kPurgeRows = 5'000;
constexpr std::uint32_t kPurgesAtOnce = 20;
constexpr std::chrono::milliseconds kAskAgainAfterError{200};
constexpr std::uint64_t kWrittenBytes = 16U << 20U;
/// While every route waits for its broker, signals are looked at this often.
constexpr std::chrono::milliseconds kWhileBusy{10};
/// How long what is out is waited for before partitions are given to another host.
constexpr std::chrono::seconds kHandOver{2};

}  // namespace

class Saga::Impl {
 public:
  Impl(SagaOptions options, Storage& storage, Broker& broker, std::vector<Route> routes,
       HostServices& services)
      : options_(std::move(options)),
        storage_(storage),
        routes_(std::move(routes)),
        services_(services),
        waiters_(storage),
        members_(static_cast<HostRegistry*>(storage.query(HostRegistry::kInterface)),
                 options_.host_name, options_.partitions, options_.host_interval, services),
        partitions_(options_, storage, broker, *signals_, members_, services),
        completion_(std::max<std::size_t>(routes_.size(), 1), options_, storage, partitions_,
                    waiters_, written_, services),
        letters_(static_cast<DeadLetterStore*>(storage.query(DeadLetterStore::kInterface)),
                 partitions_, services, [this] { signals_->wake(); }),
        generations_(options_.partitions) {
    for (const Route& route : routes_) add_delivery(&route);
    if (routes_.empty()) add_delivery(nullptr);
  }

  ~Impl() { stop(steady_clock::now()); }

  Status start() {
    members_.refresh(steady_clock::now(), {});
    const Status claimed = partitions_.claim_free_partitions();
    if (!claimed.ok()) {
      partitions_.release_all();
      return claimed;
    }
    members_.refresh(steady_clock::now(), partitions_.owned());
    running_ = true;
    thread_ = std::thread([this] { run(); });
    return {};
  }

  void stop(steady_clock::time_point deadline) {
    publish::bring_forward(stop_by_, deadline);
    if (!running_.exchange(false)) return;
    signals_->wake();
    while (!finished_.load() && steady_clock::now() < stop_by_.load()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    give_up_ = true;
    signals_->wake();
    thread_.join();
    partitions_.release_all();
    members_.leave();
  }

  void keep_written(std::vector<Append> appends, const StagedGroup& staged) {
    written_.keep(std::move(appends), staged);
  }

  void transaction_ended(const Token& token, bool committed) { signals_->ended(token, committed); }

  bool wait_delivered(const std::vector<DeliveryId>& deliveries,
                      steady_clock::time_point deadline) {
    return waiters_.wait(deliveries, deadline);
  }

  Result<std::vector<PartitionReport>> report() {
    const Result<std::vector<Backlog>> backlog = storage_.ledger().backlog();
    if (!backlog.ok()) return backlog.status();
    const std::vector<PartitionCounts> counts = partitions_.counts();
    std::vector<PartitionReport> reports(counts.size());
    for (std::size_t i = 0; i < counts.size(); ++i) {
      reports[i].partition = Partition{static_cast<std::uint32_t>(i)};
      reports[i].owned = counts[i].owned;
      reports[i].delivered = counts[i].delivered;
      reports[i].redelivered = counts[i].redelivered;
      reports[i].phantoms = counts[i].phantoms;
      reports[i].recovered = counts[i].recovered;
      for (const auto& [route, problem] : counts[i].problems) {
        std::string& words = reports[i].problem;
        words += words.empty() ? problem : "; " + problem;
      }
    }
    for (const Backlog& entry : *backlog) {
      if (entry.partition.value >= reports.size()) continue;
      reports[entry.partition.value].undelivered = entry.events;
      reports[entry.partition.value].oldest = entry.oldest;
    }
    return reports;
  }

  [[nodiscard]] std::vector<HostReport> host_reports() const { return members_.reports(); }

  [[nodiscard]] std::vector<RouteReport> route_reports() const {
    std::vector<RouteReport> reports;
    if (routes_.empty()) return reports;
    for (const auto& delivery : deliveries_) reports.push_back(delivery->report());
    return reports;
  }

  Result<std::vector<DeadLetter>> dead_letters(const DeadLetterKey& after, std::uint32_t limit) {
    return letters_.list(after, limit);
  }
  Status retry(const DeadLetterKey& key, Version version) {
    if (!knows_route(key.route)) {
      return {StatusCode::invalid_argument,
              "this host has no route " + key.route + "; the letter can be discarded"};
    }
    return letters_.retry(key, version);
  }
  Status discard(const DeadLetterKey& key, Version version) {
    return knows_route(key.route) ? letters_.discard(key, version) : letters_.drop(key, version);
  }

 private:
  void add_delivery(const Route* route) {
    deliveries_.push_back(std::make_unique<RouteDelivery>(around_, route));
  }

  [[nodiscard]] bool knows_route(const std::string& name) const {
    return std::ranges::any_of(routes_, [&](const Route& route) { return route.name == name; });
  }

  /// How many routes but one have a delivery.
  [[nodiscard]] std::size_t others(const Delivery& delivery, const RouteDelivery& but) const {
    std::size_t count = 0;
    for (const auto& route : deliveries_) {
      if (route.get() != &but && route->has(delivery)) ++count;
    }
    return count;
  }

  [[nodiscard]] bool busy() const {
    return std::ranges::any_of(deliveries_, [](const auto& route) { return route->busy(); });
  }
  [[nodiscard]] bool all_busy() const {
    return std::ranges::all_of(deliveries_, [](const auto& route) { return route->busy(); });
  }

  void run() {
    name_this_thread("saga");
    auto next_sweep = steady_clock::now();
    auto next_purge = steady_clock::now() + kPurgeInterval;
    auto next_look = steady_clock::now();
    while (running_.load()) {
      if (const auto now = steady_clock::now(); now >= next_look && !members_.alone()) {
        look_for_hosts(now);
        next_look = now + options_.host_interval;
      }
      if (const auto now = steady_clock::now(); now >= next_sweep) {
        sweep(now);
        next_sweep = now + options_.sweep_interval;
      }
      if (const auto now = steady_clock::now(); now >= next_purge) {
        purge();
        next_purge = now + kPurgeInterval;
      }
      ask_about_signals();
      take_settled_signals();
      for (const Partition partition : partitions_.take_gaps()) look_again(partition);
      if (work(true)) continue;
      auto until = members_.alone() ? next_sweep : std::min(next_sweep, next_look);
      for (const auto& route : deliveries_) until = route->next_work(until);
      if (all_busy()) {
        signals_->wait_woken(std::min(until, steady_clock::now() + kWhileBusy));
      } else {
        signals_->wait(until);
      }
    }
    while (busy() && !give_up_.load()) {
      if (work(false)) continue;
      signals_->wait_woken(steady_clock::now() + kWhileBusy);
    }
    for (const auto& route : deliveries_) route->give_up(steady_clock::now());
    ignore_status(completion_.flush(), "what is not marked is delivered again by the next owner");
    finished_ = true;
  }

  /// Returns whether a route did anything.
  bool work(bool begin_rounds) {
    if (const Status known = letters_.refresh(steady_clock::now()); !known.ok()) {
      if (letters_problem_ != known.message()) {
        services_.logger().warning("can't look for dead letters", {{"problem", known.to_string()}});
      }
      letters_problem_ = known.message();
      begin_rounds = false;
    } else {
      letters_problem_.clear();
    }
    if (const Status marked = completion_.flush(); !marked.ok()) begin_rounds = false;
    bool worked = false;
    for (const auto& route : deliveries_) {
      worked = route->work(steady_clock::now(), begin_rounds) || worked;
    }
    return worked;
  }

  /// Takes what this host should have of the partitions, and gives what others should have.
  void look_for_hosts(steady_clock::time_point now) {
    std::vector<Partition> owned = partitions_.owned();
    members_.refresh(now, owned);
    if (members_.surplus(owned.size()) > 0) {
      // What is out is waited for, so that the next owner has nothing to repeat.
      const auto deadline = now + kHandOver;
      while (busy() && running_.load() && steady_clock::now() < deadline) {
        if (!work(false)) signals_->wait_woken(steady_clock::now() + kWhileBusy);
      }
      ignore_status(completion_.flush(), "what is not marked is delivered again by the next owner");
      partitions_.release_surplus();
    }
    claim_partitions();
    if (std::vector<Partition> changed = partitions_.owned(); changed != owned) {
      members_.refresh(steady_clock::now(), changed);
    }
  }

  void claim_partitions() {
    const Status claimed = partitions_.claim_free_partitions();
    if (claimed.ok()) {
      claim_problem_.clear();
    } else if (claimed.message() != claim_problem_) {
      claim_problem_ = claimed.message();
      services_.logger().warning("can't claim partitions", {{"problem", claimed.to_string()}});
    }
    for (std::uint32_t i = 0; i < options_.partitions; ++i) {
      if (const std::uint64_t claim = partitions_.generation({i}); generations_[i] != claim) {
        generations_[i] = claim;
        completion_.forget({i});
      }
    }
  }

  /// What nobody signalled: looks at every owned partition; a host that is alone also for others.
  void sweep(steady_clock::time_point now) {
    if (members_.alone()) {
      claim_partitions();
      members_.refresh(now, partitions_.owned());
    }
    partitions_.settle_unsignalled(now);
    for (std::uint32_t i = 0; i < options_.partitions; ++i) {
      for (const auto& route : deliveries_) route->mark_due(Partition{i});
    }
    for (const auto& route : deliveries_) route->publish_lag();
  }

  void look_again(Partition partition) {
    for (const auto& route : deliveries_) route->look_again(partition);
  }

  void purge() {
    for (std::uint32_t i = 0; i < kPurgesAtOnce && running_.load(); ++i) {
      const Result<std::uint64_t> purged = storage_.ledger().purge(options_.purge_age, kPurgeRows);
      if (!purged.ok()) {
        services_.logger().warning("can't purge the ledger",
                                   {{"problem", purged.status().to_string()}});
        return;
      }
      if (*purged == 0) return;
    }
  }

  /// Is it in the database? Never answered by a clock.
  void ask_about_signals() {
    const auto now = steady_clock::now();
    const std::vector<Token> questions = signals_->take_questions(now);
    if (questions.empty()) return;
    const Result<std::vector<Verdict>> verdicts = storage_.resolve(questions);
    if (verdicts.ok() && verdicts->size() == questions.size()) {
      signals_->answer(questions, *verdicts, steady_clock::now());
    } else {
      signals_->postpone(questions, steady_clock::now() + kAskAgainAfterError);
    }
  }

  void take_settled_signals() {
    const auto now = steady_clock::now();
    for (const SettledSignal& signal : signals_->take_settled()) {
      switch (signal.verdict) {
        case Verdict::committed:
          partitions_.signalled(signal.delivery, now);
          for (const auto& route : deliveries_) route->mark_due(signal);
          break;
        case Verdict::aborted:
          partitions_.count_phantom(signal.delivery.partition);
          break;
        case Verdict::forgotten:    // delivered long ago
        case Verdict::in_progress:  // never settled
          break;
      }
    }
  }

  const SagaOptions options_;
  Storage& storage_;
  const std::vector<Route> routes_;
  HostServices& services_;
  std::atomic<bool> give_up_{false};
  /// Shared with publishes that are out, which may end after the saga.
  const std::shared_ptr<SignalBook> signals_ = std::make_shared<SignalBook>();
  DeliveredWaiters waiters_;
  Members members_;
  PartitionTable partitions_;
  WrittenEvents written_{kWrittenBytes};
  Completion completion_;
  DeadLetters letters_;
  RouteSurroundings around_{
      options_,
      storage_,
      partitions_,
      signals_,
      completion_,
      letters_,
      written_,
      services_,
      [this](const Delivery& delivery, const RouteDelivery& but) { return others(delivery, but); }};
  std::vector<std::unique_ptr<RouteDelivery>> deliveries_;  ///< one for each route, one at least
  std::vector<std::uint64_t> generations_;  ///< of the claims that completion_ knows
  std::string claim_problem_;
  std::string letters_problem_;
  std::atomic<bool> running_{false};
  std::atomic<bool> finished_{false};
  std::atomic<steady_clock::time_point> stop_by_{steady_clock::time_point::max()};
  std::thread thread_;
};

Saga::Saga(SagaOptions options, Storage& storage, Broker& validation_broker,
           std::vector<Route> routes, HostServices& services)
    : impl_(std::make_unique<Impl>(std::move(options), storage, validation_broker,
                                   std::move(routes), services)) {}
Saga::~Saga() = default;

Status Saga::start() {
  return impl_->start();
}
void Saga::stop(std::chrono::steady_clock::time_point deadline) {
  impl_->stop(deadline);
}
void Saga::keep_written(std::vector<Append> appends, const StagedGroup& staged) {
  impl_->keep_written(std::move(appends), staged);
}
void Saga::transaction_ended(const Token& token, bool committed) {
  impl_->transaction_ended(token, committed);
}
bool Saga::wait_delivered(const std::vector<DeliveryId>& deliveries,
                          std::chrono::steady_clock::time_point deadline) {
  return impl_->wait_delivered(deliveries, deadline);
}
Result<std::vector<PartitionReport>> Saga::report() {
  return impl_->report();
}

std::vector<HostReport> Saga::host_reports() const {
  return impl_->host_reports();
}
std::vector<RouteReport> Saga::route_reports() const {
  return impl_->route_reports();
}
Result<std::vector<DeadLetter>> Saga::dead_letters(const DeadLetterKey& after,
                                                   std::uint32_t limit) {
  return impl_->dead_letters(after, limit);
}
Status Saga::retry(const DeadLetterKey& key, Version version) {
  return impl_->retry(key, version);
}
Status Saga::discard(const DeadLetterKey& key, Version version) {
  return impl_->discard(key, version);
}

}  // namespace vouch::saga
