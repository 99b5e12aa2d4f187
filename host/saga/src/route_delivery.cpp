#include "route_delivery.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "outbound_load.h"
#include "retry_pause.h"
#include "route_progress.h"

namespace vouch::saga {
namespace {

using std::chrono::steady_clock;

/// Payload in one round; a delivery that is larger goes alone.
constexpr std::uint64_t kMostBytes = 16U << 20U;
/// While routes are apart, what was committed late and whose signal was lost is found after this.
constexpr std::chrono::seconds kLookAgain{30};

}  // namespace

/// What the route knows of a partition, as long as this host owns it.
struct RouteDelivery::State {
  std::uint64_t generation = 0;  ///< of the claim; what is from an older one is void
  bool due = false;
  RetryPause pause;
  RouteProgress progress;
  LedgerNumber seen;  ///< up to here the route has all it saw
  /// What `seen` may become: less than what was signalled since the round that is out was loaded.
  LedgerNumber most{~std::uint64_t{0}};
  Time look_again{};                ///< then `seen` falls back to the start
  bool behind = false;              ///< it fell back, and is not at the end again
  std::set<LedgerNumber> loaded;    ///< published, and not acknowledged yet
  std::optional<Timestamp> oldest;  ///< when the first delivery that failed was written

  void at_end(Time now) {
    if (behind) look_again = now + kLookAgain;
    behind = false;
  }
};

struct RouteDelivery::Round {
  std::unique_ptr<OutboundLoad> load;               ///< of deliveries
  std::unique_ptr<ReleasedStreams::Load> released;  ///< or of released letters
  std::vector<Partition> partitions;
  std::optional<publish::PublishCall> call;
  Time start;

  [[nodiscard]] const std::vector<OutboundEvent>& messages() const {
    return load ? load->events() : released->events;
  }
};

RouteDelivery::RouteDelivery(RouteSurroundings& around, const Route* route)
    : around_(around),
      route_(route),
      name_(route == nullptr ? "none" : route->name),
      metrics_(around.services.metrics(), name_),
      letters_(name_, around.options, around.letters, metrics_, around.services),
      released_(around, route, name_, letters_, metrics_),
      states_(around.options.partitions),
      max_events_(around.options.max_round_events) {
  report_.name = name_;
  if (route != nullptr) {
    report_.broker = route->broker_name;
    report_.topic = route->topic.text();
  }
}

RouteDelivery::~RouteDelivery() = default;

void RouteDelivery::mark_due(Partition partition) {
  states_[partition.value].due = true;
}

void RouteDelivery::mark_due(const SettledSignal& signal) {
  Delivery delivery;
  delivery.id = signal.delivery;
  delivery.token = signal.token;
  if (has(delivery)) return;
  State& state = states_[delivery.id.partition.value];
  state.due = true;
  // It may have been committed after the round that is out was loaded, and before a higher number.
  state.most = {std::min(state.most.value, delivery.id.number.value - 1)};
  state.seen = std::min(state.seen, state.most);
}

void RouteDelivery::look_again(Partition partition) {
  State& state = states_[partition.value];
  state.seen = {};
  state.most = {};
  state.behind = true;
  state.due = true;
}

RouteDelivery::State& RouteDelivery::fresh_state(Partition partition) {
  State& state = states_[partition.value];
  const std::uint64_t generation = around_.partitions.generation(partition);
  if (state.generation != generation) {
    state = State{};
    state.generation = generation;
    state.due = true;
    succeeded(partition);
  }
  return state;
}

std::vector<Partition> RouteDelivery::take_due(Time now) {
  std::vector<Partition> due;
  for (std::uint32_t i = 0; i < states_.size(); ++i) {
    const Partition partition{i};
    if (!around_.partitions.deliverable(partition)) continue;
    State& state = fresh_state(partition);
    if (!state.due || state.pause.until > now || !around_.letters.knows(partition)) continue;
    state.due = false;
    due.push_back(partition);
  }
  return due;
}

bool RouteDelivery::work(Time now, bool begin_rounds) {
  if (round_ != nullptr) {
    if (round_->call && !round_->call->finished()) return false;
    settle(now);
    return true;
  }
  if (!begin_rounds) return false;
  // Neither live traffic nor a long stream that was released keeps the other waiting.
  if (!released_last_ && begin_released(now)) {
    released_last_ = true;
    return true;
  }
  released_last_ = false;
  const std::vector<Partition> due = take_look(take_due(now), now);
  if (!due.empty()) return begin(due, now);
  return false;
}

/// A round looks at its partitions from one number on, so those go together that are about equally
/// far: those of which no route has more than another, from the start; those that are ahead of
/// another route; those that are, and look again. Else what waits for the other route, and is had
/// here, would fill round after round, and nothing behind it would ever be reached. The others stay
/// due; each kind has its turn.
std::vector<Partition> RouteDelivery::take_look(const std::vector<Partition>& due, Time now) {
  std::array<std::vector<Partition>, 3> looks;
  for (const Partition partition : due) {
    State& state = states_[partition.value];
    const bool even = !around_.completion.uneven(partition);
    if (even || (!state.behind && state.look_again <= now)) {
      state.behind = !even;
      state.seen = {};
      state.look_again = now + kLookAgain;
    }
    looks[even ? 0 : state.behind ? 1 : 2].push_back(partition);
  }
  std::vector<Partition> taken;
  for (std::size_t i = 1; i <= looks.size(); ++i) {
    std::vector<Partition>& look = looks[(last_look_ + i) % looks.size()];
    if (look.empty()) continue;
    last_look_ = (last_look_ + i) % looks.size();
    taken = std::exchange(look, {});
    break;
  }
  for (const std::vector<Partition>& look : looks) {
    for (const Partition partition : look) mark_due(partition);
  }
  return taken;
}

void RouteDelivery::give_up(Time now) {
  if (round_ != nullptr) settle(now);
}

RouteDelivery::Time RouteDelivery::next_work(Time otherwise) const {
  if (round_ != nullptr) {
    return round_->call ? std::min(otherwise, round_->call->latest()) : steady_clock::now();
  }
  for (std::uint32_t i = 0; i < states_.size(); ++i) {
    const State& state = states_[i];
    if (state.due && around_.partitions.deliverable({i}) && around_.letters.knows({i})) {
      otherwise = std::min(otherwise, state.pause.until);
    }
  }
  return released_.next_work(otherwise);
}

bool RouteDelivery::has(const Delivery& delivery) const {
  const State& state = states_[delivery.id.partition.value];
  return state.generation == around_.partitions.generation(delivery.id.partition) &&
         state.progress.has(delivery);
}

bool RouteDelivery::begin(const std::vector<Partition>& due, Time now) {
  LedgerNumber after{~std::uint64_t{0}};
  for (const Partition partition : due) {
    State& state = states_[partition.value];
    state.most = {~std::uint64_t{0}};
    after = std::min(after, state.seen);
  }
  auto round = std::make_unique<Round>();
  round->partitions = due;
  round->start = now;
  round->load = std::make_unique<OutboundLoad>(
      route_, around_.options.store, around_.written, OutboundLoad::Limits{max_events_, kMostBytes},
      [this](const Delivery& delivery) { return has(delivery); },
      [this](std::string_view stream, Version version) {
        return around_.letters.blocks(name_, stream, version);
      });
  const Status loaded = around_.storage.ledger().ready(due, after, max_events_, *round->load);
  if (!loaded.ok()) {
    const std::string why = loaded.with_context("load undelivered events").to_string();
    for (const Partition partition : due) failed(partition, why, now);
    return true;
  }
  if (round->load->items().empty()) {
    for (const Partition partition : due) {
      states_[partition.value].at_end(now);
      succeeded(partition);
    }
    return true;
  }
  if (round->load->full()) {
    for (const Partition partition : due) mark_due(partition);
  }
  std::map<Partition, std::uint64_t> again;
  for (const OutboundLoad::Item& item : round->load->items()) {
    if (item.had) continue;
    const Partition partition = item.delivery.id.partition;
    const bool repeated = !states_[partition.value].loaded.insert(item.delivery.id.number).second;
    around_.partitions.loaded(item.delivery.id, around_.signals->waits_for(item.delivery.token),
                              now);
    if (repeated) again[partition] += item.delivery.events;
  }
  for (const auto& [partition, events] : again) {
    around_.partitions.count_redelivered(partition, events);
    const std::lock_guard lock(mutex_);
    report_.redelivered += events;
  }
  publish(*round);
  round_ = std::move(round);
  return true;
}

void RouteDelivery::publish(Round& round) {
  std::vector<Message> messages;
  messages.reserve(round.messages().size());
  for (const OutboundEvent& event : round.messages()) messages.push_back(event.message());
  if (messages.empty()) return;
  round.call.emplace(*route_->broker, messages, around_.options.publish_timeout,
                     [book = around_.signals] { book->wake(); });
}

void RouteDelivery::settle(Time now) {
  publish::PublishReport report;
  if (round_->call) report = round_->call->report();
  const bool overloaded = report.problem.code() == StatusCode::overloaded;
  max_events_ = overloaded ? std::max(max_events_ / 2, 1U)
                           : std::min(max_events_ * 2, around_.options.max_round_events);
  const std::unique_ptr<Round> round = std::move(round_);
  std::uint64_t acked = 0;
  for (const PublishOutcome outcome : report.outcomes) {
    if (outcome == PublishOutcome::acked) ++acked;
  }
  metrics_.acked.add(static_cast<double>(acked));
  {
    const std::lock_guard lock(mutex_);
    report_.delivered += acked;
  }
  if (round->load) {
    settle_round(*round, report, now);
  } else {
    released_.settle(*round->released, report, now);
  }
}

/// Sorts deliveries into those that the route has and those that failed. An event that was refused
/// for good, and those of its stream behind it, are kept as a dead letter, and hold up no delivery.
void RouteDelivery::settle_round(Round& round, const publish::PublishReport& report, Time now) {
  OutboundLoad& load = *round.load;
  metrics_.publish_seconds.observe(std::chrono::duration<double>(now - round.start).count());
  metrics_.round_events.observe(static_cast<double>(load.seen()));
  metrics_.read_back.add(static_cast<double>(load.read_back()));

  letters_.keep(load, report);
  take_progress(round, now);
}

/// Moves the route's progress over what it has, and tells the completion.
void RouteDelivery::take_progress(Round& round, Time now) {
  std::map<Partition, const OutboundLoad::Item*> first_failed;
  std::set<std::pair<Partition, LaneNumber>> stopped;
  for (const OutboundLoad::Item& item : round.load->items()) {
    const Partition partition = item.delivery.id.partition;
    State& state = states_[partition.value];
    if (state.generation != around_.partitions.generation(partition)) continue;  // lost meanwhile
    const std::pair lane{partition, item.delivery.token.lane};
    if (!item.problem.empty()) {
      state.seen = {std::min(state.seen.value, item.delivery.id.number.value - 1)};
      first_failed.try_emplace(partition, &item);
      stopped.insert(lane);
      continue;
    }
    if (!first_failed.contains(partition)) {
      state.seen = std::max(state.seen, item.delivery.id.number);
    }
    if (!item.had) {
      state.loaded.erase(item.delivery.id.number);
      around_.completion.add(item.delivery, around_.others(item.delivery, *this));
    }
    if (stopped.contains(lane)) {
      if (!item.had) state.progress.out_of_turn(item.delivery);
    } else {
      state.progress.in_turn(item.delivery);
    }
  }
  const LedgerNumber last = round.load->items().back().delivery.id.number;
  for (const Partition partition : round.partitions) {
    State& state = states_[partition.value];
    const auto found = first_failed.find(partition);
    // The next round goes on where this one was full, also with those that had nothing there.
    if (found == first_failed.end() && round.load->full()) state.seen = std::max(state.seen, last);
    state.seen = std::min(state.seen, state.most);
    if (found == first_failed.end()) {
      if (!round.load->full()) state.at_end(now);
      succeeded(partition);
    } else {
      states_[partition.value].oldest = found->second->delivery.written;
      failed(partition, found->second->problem, now);
    }
  }
}

bool RouteDelivery::begin_released(Time now) {
  if (!released_.due(now)) return false;
  auto round = std::make_unique<Round>();
  round->start = now;
  round->released = released_.load(max_events_, now);
  if (round->released == nullptr) return true;
  publish(*round);
  round_ = std::move(round);
  return true;
}

void RouteDelivery::failed(Partition partition, const std::string& problem, Time now) {
  State& state = states_[partition.value];
  state.pause.grow(now, around_.options);
  state.due = true;
  around_.partitions.set_problem(partition, name_, problem);
  const bool first = failing_.empty();
  failing_.insert(partition);
  const std::lock_guard lock(mutex_);
  if (first || report_.problem != problem) {
    around_.services.logger().warning(
        "a route is held up; trying again",
        {{"route", name_}, {"partition", std::to_string(partition.value)}, {"problem", problem}});
  }
  report_.problem = problem;
}

void RouteDelivery::succeeded(Partition partition) {
  State& state = states_[partition.value];
  state.pause.reset();
  state.oldest.reset();
  if (failing_.erase(partition) == 0) return;
  around_.partitions.set_problem(partition, name_, {});
  if (!failing_.empty()) return;
  const std::lock_guard lock(mutex_);
  around_.services.logger().info("a route goes on", {{"route", name_}});
  report_.problem.clear();
}

RouteReport RouteDelivery::report() const {
  const std::lock_guard lock(mutex_);
  return report_;
}

void RouteDelivery::publish_lag() {
  std::optional<Timestamp> oldest;
  for (const State& state : states_) {
    if (state.oldest) oldest = std::min(oldest.value_or(*state.oldest), *state.oldest);
  }
  const Timestamp now = around_.services.clock().now();
  metrics_.lag.set(oldest ? static_cast<double>(now.micros - oldest->micros) / 1e6 : 0);
  const std::lock_guard lock(mutex_);
  report_.oldest_waiting = oldest;
  report_.dead_letters = around_.letters.count(name_);
}

}  // namespace vouch::saga
