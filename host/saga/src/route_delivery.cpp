#include "route_delivery.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace vouch::saga {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Payload in one round; a delivery that is larger goes alone.
constexpr std::uint64_t kMostBytes = 16U << 20U;
/// Of released letters, in one round.
constexpr std::size_t kReleasedStreams = 100;
constexpr std::uint32_t kReleasedEvents = 200;
/// While routes are apart, what was committed late and whose signal was lost is found after this.
constexpr std::chrono::seconds kLookAgain{30};
constexpr std::array<double, 10> kSizes = {1, 5, 10, 50, 100, 250, 500, 1000, 2000, 5000};
constexpr std::array<double, 14> kSeconds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                             0.1,    0.25,  0.5,    1,     2.5,  10,    60};

/// Events of one stream from a version on, of which those that take the route become messages.
class StreamEvents final : public EventSink {
 public:
  StreamEvents(const Route& route, const std::string& store, std::size_t item,
               std::vector<OutboundEvent>& events)
      : route_(route), store_(store), item_(item), events_(events) {}

  bool event(const EventView& event) override {
    last_ = event.version;
    ++count_;
    bytes_ += event.data.size() + event.metadata.size();
    if (publish::takes(route_, event.stream, event.type)) {
      events_.push_back(OutboundEvent::of(event, route_, store_, item_));
    }
    return bytes_ < kMostBytes;
  }

  [[nodiscard]] Version last() const { return last_; }
  [[nodiscard]] bool ended() const { return count_ < kReleasedEvents && bytes_ < kMostBytes; }

 private:
  const Route& route_;
  const std::string& store_;
  const std::size_t item_;
  std::vector<OutboundEvent>& events_;
  Version last_;
  std::uint32_t count_ = 0;
  std::uint64_t bytes_ = 0;
};

std::vector<DeadLetter> values_of(const std::map<std::string_view, DeadLetter>& letters) {
  std::vector<DeadLetter> values;
  for (const auto& [stream, letter] : letters) values.push_back(letter);
  return values;
}

}  // namespace

/// What the route knows of a partition, as long as this host owns it.
struct RouteDelivery::State {
  std::uint64_t generation = 0;  ///< of the claim; what is from an older one is void
  bool due = false;
  Time retry_at{};
  milliseconds pause{0};
  RouteProgress progress;
  LedgerNumber seen;  ///< up to here the route has all it saw
  /// What `seen` may become: less than what was signalled since the round that is out was loaded.
  LedgerNumber most{~std::uint64_t{0}};
  Time look_again{};                ///< then `seen` falls back to the start
  bool behind = false;              ///< it fell back, and is not at the end again
  std::set<LedgerNumber> loaded;    ///< published, and not acknowledged yet
  std::optional<Timestamp> oldest;  ///< when the first delivery that failed was written
};

struct RouteDelivery::Round {
  /// A released letter and how far its stream was read.
  struct Released {
    DeadLetter letter;
    Version read;        ///< the last version read; below the letter's if there was none
    bool ended = false;  ///< nothing was behind it
    /// The first event that is not acknowledged, and why it was refused, if it was.
    std::optional<std::size_t> stopped_at;
    std::optional<Status> refused;
  };

  std::unique_ptr<OutboundLoad> load;  ///< of deliveries
  std::vector<Released> released;      ///< or of released letters
  std::vector<OutboundEvent> events;   ///< of released letters
  std::vector<Partition> partitions;
  std::optional<publish::PublishCall> call;
  Time start;

  [[nodiscard]] const std::vector<OutboundEvent>& messages() const {
    return load ? load->events() : events;
  }
};

class RouteDelivery::Metrics {
 public:
  Metrics(vouch::Metrics& metrics, const std::string& route)
      : label{"route", route},
        read_back(metrics.counter("vouch_delivery_read_back_events_total",
                                  "Events that were read from the database in order to be "
                                  "published.",
                                  {})),
        round_events(metrics.histogram("vouch_delivery_round_events",
                                       "Events published in one round.", {}, kSizes)),
        publish_seconds(metrics.histogram("vouch_delivery_publish_duration_seconds",
                                          "Time until every message of a round was acknowledged.",
                                          {}, kSeconds)),
        acked(metrics.counter("vouch_delivery_route_events_total",
                              "Events acknowledged on a route.", {&label, 1})),
        refused(metrics.counter("vouch_delivery_refused_events_total",
                                "Events that a broker refused for good.", {&label, 1})),
        lag(metrics.gauge("vouch_delivery_route_lag_seconds",
                          "Age of the oldest delivery that failed on a route and waits to be "
                          "repeated; 0 when none does.",
                          {&label, 1})) {}

  const Label label;
  Counter& read_back;
  Histogram& round_events;
  Histogram& publish_seconds;
  Counter& acked;
  Counter& refused;
  Gauge& lag;
};

RouteDelivery::RouteDelivery(RouteSurroundings& around, const Route* route)
    : around_(around),
      route_(route),
      name_(route == nullptr ? "none" : route->name),
      metrics_(std::make_unique<Metrics>(around.services.metrics(), name_)),
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
    if (!state.due || state.retry_at > now || !around_.letters.knows(partition)) continue;
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
std::vector<Partition> RouteDelivery::take_look(std::vector<Partition> due, Time now) {
  std::array<std::vector<Partition>, 3> looks;
  for (const Partition partition : due) {
    State& state = states_[partition.value];
    const bool even = !around_.completion.uneven(partition);
    if (even || state.look_again <= now) {
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
      otherwise = std::min(otherwise, state.retry_at);
    }
  }
  if (!around_.letters.released(name_, 1).empty()) {
    otherwise = std::min(otherwise, released_retry_);
  }
  return otherwise;
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
      states_[partition.value].behind = false;
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
  metrics_->acked.add(static_cast<double>(acked));
  {
    const std::lock_guard lock(mutex_);
    report_.delivered += acked;
  }
  if (round->load) {
    settle_round(*round, report, now);
  } else {
    settle_released(*round, report, now);
  }
}

/// Sorts deliveries into those that the route has and those that failed. An event that was refused
/// for good, and those of its stream behind it, are kept as a dead letter, and hold up no delivery.
void RouteDelivery::settle_round(Round& round, const publish::PublishReport& report, Time now) {
  OutboundLoad& load = *round.load;
  metrics_->publish_seconds.observe(std::chrono::duration<double>(now - round.start).count());
  metrics_->round_events.observe(static_cast<double>(load.seen()));
  metrics_->read_back.add(static_cast<double>(load.read_back()));

  const std::vector<OutboundEvent>& events = load.events();
  std::map<std::string_view, DeadLetter> refused;
  std::map<std::string_view, DeadLetter> behind;
  std::vector<std::size_t> kept;  // items with events that a letter keeps
  for (std::size_t i = 0; i < events.size(); ++i) {
    const OutboundEvent& event = events[i];
    const auto letter = refused.find(event.stream);
    if (letter != refused.end()) {
      letter->second.last = event.version;
      kept.push_back(event.item);
    } else if (report.outcomes[i] == PublishOutcome::rejected && around_.letters.supported()) {
      refused.emplace(event.stream, refusal(event, report.refusals.at(i)));
      kept.push_back(event.item);
    } else if (report.outcomes[i] != PublishOutcome::acked) {
      std::string& problem = load.items()[event.item].problem;
      if (problem.empty()) problem = event.topic + ": " + report.problem.to_string();
    }
  }
  for (const OutboundLoad::Behind& event : load.behind()) {
    const auto [letter, added] = behind.try_emplace(event.stream, waiting(event));
    letter->second.last = event.version;
    kept.push_back(event.item);
  }
  Status written = refused.empty() ? Status() : around_.letters.refuse(values_of(refused));
  if (written.ok()) written = around_.letters.wait_behind(values_of(behind));
  if (!written.ok()) {
    for (const std::size_t item : kept) load.items()[item].problem = written.to_string();
  }
  metrics_->refused.add(static_cast<double>(refused.size()));
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
      if (!round.load->full()) state.behind = false;
      succeeded(partition);
    } else {
      states_[partition.value].oldest = found->second->delivery.written;
      failed(partition, found->second->problem, now);
    }
  }
}

/// Publishes streams whose letters were released, from their letters on. The letter is read before
/// the stream: if more comes to wait behind it, its revision tells.
bool RouteDelivery::begin_released(Time now) {
  if (route_ == nullptr || released_retry_ > now) return false;
  const std::vector<std::string> streams = around_.letters.released(name_, kReleasedStreams);
  if (streams.empty()) return false;
  auto round = std::make_unique<Round>();
  round->start = now;
  for (const std::string& stream : streams) {
    if (round->events.size() >= max_events_) break;
    const Result<std::optional<DeadLetter>> letter = around_.letters.find({name_, stream});
    if (!letter.ok()) {
      pause_released(letter.status().to_string(), now);
      return true;
    }
    if (!letter->has_value() || !(*letter)->released) {
      around_.letters.look_again();
      continue;
    }
    Round::Released& released = round->released.emplace_back();
    released.letter = **letter;
    StreamEvents sink(*route_, around_.options.store, round->released.size() - 1, round->events);
    const Status read =
        around_.storage.reader().stream(StreamName::unchecked(stream), released.letter.version,
                                        Direction::forward, kReleasedEvents, sink);
    if (!read.ok()) {
      pause_released(read.with_context("read a stream behind a dead letter").to_string(), now);
      return true;
    }
    released.read = sink.last();
    released.ended = sink.ended();
  }
  publish(*round);
  round_ = std::move(round);
  return true;
}

void RouteDelivery::settle_released(Round& round, const publish::PublishReport& report, Time now) {
  for (std::size_t i = 0; i < round.events.size(); ++i) {
    Round::Released& released = round.released[round.events[i].item];
    if (report.outcomes[i] == PublishOutcome::acked || released.stopped_at) continue;
    released.stopped_at = i;
    if (report.outcomes[i] == PublishOutcome::rejected) released.refused = report.refusals.at(i);
  }
  std::string problem;
  for (const Round::Released& released : round.released) {
    DeadLetter next = released.letter;
    bool done = false;
    if (released.refused) {
      const OutboundEvent& event = round.events[*released.stopped_at];
      next = refusal(event, *released.refused);
      next.attempts = released.letter.event == event.id ? released.letter.attempts + 1 : 1;
      next.last = std::max(released.letter.last, event.version);
      metrics_->refused.increment();
    } else if (released.stopped_at) {
      const OutboundEvent& event = round.events[*released.stopped_at];
      next.version = event.version;
      if (problem.empty()) problem = event.topic + ": " + report.problem.to_string();
    } else {
      next.version = released.read.value == 0 ? released.letter.version : released.read.next();
      done = released.ended;
    }
    const bool unchanged = !done && !released.refused && next.version == released.letter.version;
    if (unchanged) continue;
    const Result<bool> changed = around_.letters.advance(released.letter, done ? nullptr : &next);
    if (!changed.ok() && problem.empty()) problem = changed.status().to_string();
  }
  if (problem.empty()) {
    released_pause_ = milliseconds(0);
    released_retry_ = {};
  } else {
    pause_released(problem, now);
  }
}

DeadLetter RouteDelivery::refusal(const OutboundEvent& event, const Status& why) const {
  DeadLetter letter;
  letter.key = {name_, event.stream};
  letter.partition = partition_of(event.stream, around_.options.partitions);
  letter.version = event.version;
  letter.last = event.version;
  letter.event = event.id;
  letter.topic = event.topic;
  letter.reason = why.message();
  letter.since = around_.services.clock().now();
  letter.attempts = 1;
  return letter;
}

/// Says that an event waits. If its letter is gone, because another host published the stream
/// meanwhile, this is a letter of its own, released at once.
DeadLetter RouteDelivery::waiting(const OutboundLoad::Behind& event) const {
  DeadLetter letter;
  letter.key = {name_, event.stream};
  letter.partition = partition_of(event.stream, around_.options.partitions);
  letter.version = event.version;
  letter.last = event.version;
  letter.released = true;
  letter.event = event.id;
  letter.reason = "waited behind an earlier event";
  letter.since = around_.services.clock().now();
  return letter;
}

void RouteDelivery::failed(Partition partition, const std::string& problem, Time now) {
  State& state = states_[partition.value];
  state.pause = longer(state.pause);
  state.retry_at = now + state.pause;
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
  state.pause = milliseconds(0);
  state.retry_at = {};
  state.oldest.reset();
  if (failing_.erase(partition) == 0) return;
  around_.partitions.set_problem(partition, name_, {});
  if (!failing_.empty()) return;
  const std::lock_guard lock(mutex_);
  around_.services.logger().info("a route goes on", {{"route", name_}});
  report_.problem.clear();
}

void RouteDelivery::pause_released(const std::string& problem, Time now) {
  if (released_pause_.count() == 0) {
    around_.services.logger().warning(
        "can't publish what waited behind a dead letter; trying again",
        {{"route", name_}, {"problem", problem}});
  }
  released_pause_ = longer(released_pause_);
  released_retry_ = now + released_pause_;
}

milliseconds RouteDelivery::longer(milliseconds pause) const {
  if (pause.count() == 0) return around_.options.first_retry;
  return std::min(pause * 2, around_.options.max_retry);
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
  metrics_->lag.set(oldest ? static_cast<double>(now.micros - oldest->micros) / 1e6 : 0);
  const std::lock_guard lock(mutex_);
  report_.oldest_waiting = oldest;
  report_.dead_letters = around_.letters.count(name_);
}

}  // namespace vouch::saga
