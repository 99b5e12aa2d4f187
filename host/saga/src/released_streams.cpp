#include "released_streams.h"

#include <algorithm>

namespace vouch::saga {
namespace {

/// Of one round.
constexpr std::size_t kMostStreams = 100;
constexpr std::uint32_t kMostEvents = 200;  ///< of a stream
constexpr std::uint64_t kMostBytes = 16U << 20U;

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
  [[nodiscard]] bool ended() const { return count_ < kMostEvents && bytes_ < kMostBytes; }

 private:
  const Route& route_;
  const std::string& store_;
  const std::size_t item_;
  std::vector<OutboundEvent>& events_;
  Version last_;
  std::uint32_t count_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace

ReleasedStreams::ReleasedStreams(RouteSurroundings& around, const Route* route,
                                 const std::string& name, const RouteLetters& letters,
                                 RouteMetrics& metrics)
    : around_(around), route_(route), name_(name), letters_(letters), metrics_(metrics) {}

bool ReleasedStreams::due(Time now) const {
  return route_ != nullptr && pause_.until <= now && !around_.letters.released(name_, 1).empty();
}

/// The letter is read before the stream: if more comes to wait behind it, its revision tells.
std::unique_ptr<ReleasedStreams::Load> ReleasedStreams::load(std::uint32_t max_events, Time now) {
  auto load = std::make_unique<Load>();
  for (const std::string& stream : around_.letters.released(name_, kMostStreams)) {
    if (load->events.size() >= max_events) break;
    const Result<std::optional<DeadLetter>> letter = around_.letters.find({name_, stream});
    if (!letter.ok()) {
      pause(letter.status().to_string(), now);
      return nullptr;
    }
    if (!letter->has_value() || !(*letter)->released) {
      around_.letters.look_again();
      continue;
    }
    Released& released = load->letters.emplace_back();
    released.letter = **letter;
    StreamEvents sink(*route_, around_.options.store, load->letters.size() - 1, load->events);
    const Status read =
        around_.storage.reader().stream(StreamName::unchecked(stream), released.letter.version,
                                        Direction::forward, kMostEvents, sink);
    if (!read.ok()) {
      pause(read.with_context("read a stream behind a dead letter").to_string(), now);
      return nullptr;
    }
    released.read = sink.last();
    released.ended = sink.ended();
  }
  return load;
}

void ReleasedStreams::settle(Load& load, const publish::PublishReport& report, Time now) {
  for (std::size_t i = 0; i < load.events.size(); ++i) {
    Released& released = load.letters[load.events[i].item];
    if (report.outcomes[i] == PublishOutcome::acked || released.stopped_at) continue;
    released.stopped_at = i;
    if (report.outcomes[i] == PublishOutcome::rejected) released.refused = report.refusals.at(i);
  }
  std::string problem;
  for (const Released& released : load.letters) {
    DeadLetter next = released.letter;
    bool done = false;
    if (released.refused) {
      const OutboundEvent& event = load.events[*released.stopped_at];
      next = letters_.refusal(event, *released.refused);
      next.attempts = released.letter.event == event.id ? released.letter.attempts + 1 : 1;
      next.last = std::max(released.letter.last, event.version);
      metrics_.refused.increment();
    } else if (released.stopped_at) {
      const OutboundEvent& event = load.events[*released.stopped_at];
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
    pause_.reset();
  } else {
    pause(problem, now);
  }
}

ReleasedStreams::Time ReleasedStreams::next_work(Time otherwise) const {
  if (around_.letters.released(name_, 1).empty()) return otherwise;
  return std::min(otherwise, pause_.until);
}

void ReleasedStreams::pause(const std::string& problem, Time now) {
  if (pause_.length.count() == 0) {
    around_.services.logger().warning(
        "can't publish what waited behind a dead letter; trying again",
        {{"route", name_}, {"problem", problem}});
  }
  pause_.grow(now, around_.options);
}

}  // namespace vouch::saga
