#include "partition_table.h"

#include <algorithm>
#include <utility>

namespace vouch::saga {
namespace {

/// A signal that is slower than this is taken for lost.
constexpr std::chrono::seconds kSignalGrace{1};
/// A signal whose delivery never shows up is forgotten after this.
constexpr std::chrono::seconds kSignalMemory{60};
constexpr std::size_t kMostAttempted = 100'000;

}  // namespace

/// Hears the validation messages of one partition, on the broker's thread.
class PartitionTable::ValidationSink final : public MessageSink {
 public:
  ValidationSink(PartitionTable& table, Partition partition)
      : table_(table), partition_(partition) {}

  void message(const Message& message) override {
    const Result<format::ValidationMessage> read = format::read_validation_message(message.payload);
    if (!read.ok()) {
      table_.services_.logger().warning("a message on the validation topic can't be read",
                                        {{"problem", read.status().message()}});
      return;
    }
    const bool ours = read->store == table_.options_.store &&
                      read->delivery.partition.value < table_.options_.partitions;
    if (ours) table_.signals_.add(*read);
  }

  void gap() override { table_.mark_gap(partition_); }

 private:
  PartitionTable& table_;
  const Partition partition_;
};

PartitionTable::PartitionTable(const SagaOptions& options, Storage& storage, Broker& broker,
                               SignalBook& signals, Members& members, HostServices& services)
    : options_(options),
      storage_(storage),
      broker_(broker),
      signals_(signals),
      members_(members),
      services_(services),
      phantoms_metric_(services.metrics().counter(
          "vouch_delivery_phantoms_total",
          "Validation messages dropped because their transaction aborted.", {})),
      recovered_metric_(services.metrics().counter(
          "vouch_delivery_recovered_total",
          "Deliveries found by the sweep, without a validation message.", {})),
      redelivered_metric_(services.metrics().counter(
          "vouch_delivery_redelivered_events_total",
          "Events published again after an attempt that was not acknowledged.", {})),
      delivered_metric_(services.metrics().counter(
          "vouch_delivery_events_total", "Events acknowledged on all their outbound topics.", {})),
      owned_metric_(services.metrics().gauge("vouch_delivery_owned_partitions",
                                             "Partitions that this host delivers.", {})),
      states_(options.partitions),
      counts_(options.partitions) {}

PartitionTable::~PartitionTable() {
  release_all();
}

Status PartitionTable::claim_free_partitions() {
  Status first_problem;
  std::size_t mine = 0;
  for (std::uint32_t i = 0; i < states_.size(); ++i) {
    State& state = states_[i];
    if (state.claim && !state.claim->held()) {
      services_.logger().warning("lost a partition", {{"partition", std::to_string(i)}});
      release(state, Partition{i});
    }
    if (state.claim) ++mine;
  }
  for (std::uint32_t i = 0; i < states_.size(); ++i) {
    State& state = states_[i];
    const Partition partition{i};
    if (state.claim || !members_.may_claim(partition, mine)) continue;
    const Status claimed = claim(state, partition);
    if (claimed.ok()) {
      ++mine;
      members_.claimed(partition, std::chrono::steady_clock::now());
    }
    if (!claimed.ok() && claimed.code() != StatusCode::held && first_problem.ok()) {
      first_problem = claimed.with_context("claim partition " + std::to_string(i));
    }
  }
  return first_problem;
}

Status PartitionTable::claim(State& state, Partition partition) {
  Result<std::unique_ptr<Claim>> claim = storage_.ledger().claim(partition);
  if (!claim.ok()) return claim.status();
  state.sink = std::make_unique<ValidationSink>(*this, partition);
  Result<std::unique_ptr<Subscription>> subscription =
      broker_.subscribe(options_.validation_topic, partition, *state.sink);
  if (!subscription.ok()) {
    state.sink.reset();
    return subscription.status();
  }
  state.claim = std::move(*claim);
  state.subscription = std::move(*subscription);
  state.generation = ++claims_;
  owned_metric_.add(1);
  const std::lock_guard lock(mutex_);
  counts_[partition.value].owned = true;
  return {};
}

void PartitionTable::release(State& state, Partition partition) {
  if (!state.claim) return;
  state.subscription.reset();
  state.sink.reset();
  state.claim.reset();
  state = State{};
  owned_metric_.add(-1);
  const std::lock_guard lock(mutex_);
  counts_[partition.value].owned = false;
  counts_[partition.value].problems.clear();
}

std::vector<Partition> PartitionTable::owned() const {
  std::vector<Partition> owned;
  for (std::uint32_t i = 0; i < states_.size(); ++i) {
    if (states_[i].claim) owned.push_back({i});
  }
  return owned;
}

void PartitionTable::release_surplus() {
  const std::vector<Partition> mine = owned();
  for (std::size_t left = members_.surplus(mine.size()), i = mine.size(); left > 0; --left) {
    const Partition partition = mine[--i];
    services_.logger().info("gave a partition to another host",
                            {{"partition", std::to_string(partition.value)}});
    release(states_[partition.value], partition);
  }
}

void PartitionTable::release_all() {
  for (std::uint32_t i = 0; i < states_.size(); ++i) release(states_[i], Partition{i});
}

void PartitionTable::mark_gap(Partition partition) {
  {
    const std::lock_guard lock(mutex_);
    gaps_.insert(partition);
  }
  signals_.wake();
}

std::set<Partition> PartitionTable::take_gaps() {
  const std::lock_guard lock(mutex_);
  return std::exchange(gaps_, {});
}

void PartitionTable::set_problem(Partition partition, const std::string& route,
                                 const std::string& problem) {
  const std::lock_guard lock(mutex_);
  auto& problems = counts_[partition.value].problems;
  if (problem.empty()) {
    problems.erase(route);
  } else {
    problems[route] = problem;
  }
}

void PartitionTable::signalled(const DeliveryId& delivery, Time now) {
  State& owner = state(delivery.partition);
  if (owner.unsignalled.erase(delivery.number) == 0) owner.signalled.emplace(delivery.number, now);
}

void PartitionTable::loaded(const DeliveryId& delivery, bool signal_is_here, Time now) {
  State& owner = state(delivery.partition);
  const bool again = !owner.attempted.insert(delivery.number).second;
  // While a route is down, the others go far ahead.
  if (owner.attempted.size() > kMostAttempted) owner.attempted.erase(owner.attempted.begin());
  const bool signalled = owner.signalled.erase(delivery.number) > 0;
  if (!signalled && !signal_is_here && !again) owner.unsignalled.emplace(delivery.number, now);
}

void PartitionTable::delivered(const DeliveryId& delivery, std::uint64_t events) {
  state(delivery.partition).attempted.erase(delivery.number);
  delivered_metric_.add(static_cast<double>(events));
  const std::lock_guard lock(mutex_);
  counts_[delivery.partition.value].delivered += events;
}

void PartitionTable::settle_unsignalled(Time now) {
  for (std::uint32_t i = 0; i < states_.size(); ++i) {
    State& state = states_[i];
    const std::size_t lost = std::erase_if(
        state.unsignalled, [&](const auto& entry) { return entry.second + kSignalGrace <= now; });
    std::erase_if(state.signalled,
                  [&](const auto& entry) { return entry.second + kSignalMemory <= now; });
    if (lost == 0) continue;
    recovered_metric_.add(static_cast<double>(lost));
    const std::lock_guard lock(mutex_);
    counts_[i].recovered += lost;
  }
}

void PartitionTable::count_redelivered(Partition partition, std::uint64_t events) {
  redelivered_metric_.add(static_cast<double>(events));
  const std::lock_guard lock(mutex_);
  counts_[partition.value].redelivered += events;
}

void PartitionTable::count_phantom(Partition partition) {
  phantoms_metric_.increment();
  const std::lock_guard lock(mutex_);
  ++counts_[partition.value].phantoms;
}

std::vector<PartitionCounts> PartitionTable::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

bool PartitionTable::owns(Partition partition) const {
  const std::lock_guard lock(mutex_);
  return partition.value < counts_.size() && counts_[partition.value].owned;
}

}  // namespace vouch::saga
