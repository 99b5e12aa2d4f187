// The way of a trial: scratch store, hosts, load and faults, quiet, reading, judgement.
#include "prove/prove.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "counts.h"
#include "follower.h"
#include "format/text_codec.h"
#include "host_group.h"
#include "outbound_consumer.h"
#include "repeat_command.h"
#include "run_clock.h"
#include "scratch.h"
#include "seeded_random.h"
#include "store_reading.h"
#include "stream_names.h"
#include "writer.h"

namespace vouch::prove {
namespace {

constexpr std::size_t kWriters = 8;
constexpr std::size_t kFollowers = 2;
constexpr std::size_t kTransactions = 300;
constexpr Seconds kAnswerPatience = 60;
constexpr Seconds kDeliveryPatience = 120;
constexpr Seconds kConsumerPatience = 30;
constexpr std::chrono::milliseconds kBrokerPatience{30'000};
constexpr Seconds kReachPatience = 10;
constexpr Seconds kBetweenShows = 0.1;

class Trial {
 public:
  Trial(const ProveOptions& options, plugins::PluginCatalog& catalog, config::PluginTables& tables,
        HostServices& services, ProgressSink& sink, const EndRequest& end)
      : options_(options), sink_(sink), end_(end), scratch_(options, catalog, tables, services) {}

  Result<Report> run() {
    begin_phase("preparing", 0);
    if (Status status = prepare(); !status.ok()) return give_up(status);
    Status status = live();
    if (end_.at_once) return give_up(ended_on_request());
    if (!status.ok() && history_.appends.empty()) return give_up(status);
    if (!status.ok()) note("The trial broke off: " + status.message());
    report_.broke_off = !status.ok();
    if (Status read = collect(); !read.ok())
      return give_up(end_.at_once ? ended_on_request() : read);
    begin_phase("judging", 0);
    evaluate(report_, history_);
    end();
    return std::move(report_);
  }

 private:
  /// Everything up to the first append.
  Status prepare() {
    if (Status status = scratch_.prepare(); !status.ok()) return status;
    if (Status status = reach_brokers(); !status.ok()) return status;
    std::uint32_t hosts = std::max(options_.hosts, 1U);
    decide_hosts(hosts);
    addresses_ = std::make_unique<HostAddresses>(hosts);
    streams_ = stream_names(scratch_.routes(), scratch_.categories(), kWriters);
    scratch_.set_streams(streams_.all());
    hosts_ = std::make_unique<HostGroup>(
        options_, scratch_, *addresses_, clock_, [this] { show(); }, end_);
    if (Status status = hosts_->start(); !status.ok()) return status;
    if (Status status = follow_brokers(); !status.ok()) return status;
    describe(hosts);
    return {};
  }

  /// Brokers are asked before hosts start, which would wait for them.
  Status reach_brokers() {
    const Seconds until = clock_.now() + kReachPatience;
    for (OwnBroker& own : scratch_.brokers()) {
      if (!own.broker->capabilities().several_hosts) continue;
      Health health = own.broker->health();
      while (!health.ok && clock_.now() < until && !end_.early) {
        pause();
        health = own.broker->health();
      }
      if (end_.early) return ended_on_request();
      if (!health.ok) return {StatusCode::unavailable, "broker " + own.name + ": " + health.detail};
    }
    return {};
  }

  void decide_hosts(std::uint32_t& hosts) {
    if (hosts > 1 && !scratch_.storage().capabilities().several_hosts) {
      note("The storage takes one host only, so there was one.");
      hosts = 1;
    }
    for (const OwnBroker& own : scratch_.brokers()) {
      if (hosts < 2 || own.broker->capabilities().several_hosts) continue;
      note("The broker " + own.name + " lives inside one host, so there was one.");
      hosts = 1;
    }
  }

  /// Clients of the brokers, to see what goes out.
  Status follow_brokers() {
    const bool several = scratch_.brokers().size() > 1;
    for (OwnBroker& own : scratch_.brokers()) {
      if (own.topics.empty()) continue;
      const std::string label = several ? own.name + ": " : "";
      auto consumer = std::make_unique<OutboundConsumer>(label, scratch_.plan().store(), counts_);
      if (own.broker->capabilities().several_hosts) {
        const Status status = consumer->follow(*own.broker, own.topics, kBrokerPatience);
        if (!status.ok()) return status.with_context("broker " + own.name);
      } else if (!tap(own.name)) {
        note("What the broker " + own.name +
             " hands on stays inside its host: invariants 1 to 3 were not looked at there.");
        continue;
      }
      for (const auto& [broker, route] : scratch_.routes()) {
        if (broker != own.name) continue;
        history_.routes.push_back({label + route.topic, route.categories});
      }
      consumers_.emplace_back(own.name, std::move(consumer));
    }
    char lost[96];
    std::snprintf(lost, sizeof lost,
                  "%g of 100 validation messages were lost on purpose, all along.",
                  kLostValidation * 100);
    note(lost);
    if (scratch_.routes().empty()) {
      note("The configuration has no outbound routes: invariants 1 to 3 have nothing to look at.");
    }
    return {};
  }

  /// The file in which the only host's broker writes what it was given.
  std::optional<std::string> tap(const std::string& broker) {
    const auto draft = scratch_.draft_for("h1");
    if (!draft.ok()) return std::nullopt;
    return tap_of(*draft, scratch_.uses(), broker);
  }

  void describe(std::uint32_t hosts) {
    report_.config = options_.config;
    report_.version = options_.version;
    report_.seed = options_.seed;
    report_.hosts = hosts;
    report_.time =
        format::time_text(Timestamp{std::chrono::duration_cast<std::chrono::microseconds>(
                                        std::chrono::system_clock::now().time_since_epoch())
                                        .count()});
    report_.repeat = repeat_command(options_, hosts);
    tell_of_hosts();
    if (const auto port = hosts_->ready_port(); port.ok()) {
      StoreReading(*port).describe(report_.plugins, report_.guarantees);
    }
  }

  /// Load and faults.
  Status live() {
    SeededRandom seeds(options_.seed);
    const auto faults =
        make_schedule({seeds.next(), options_.lasts, 5, report_.hosts, hosts_->links()});
    const WriterContext context{*addresses_, clock_, counts_, heads_, streams_.shared};
    std::vector<std::unique_ptr<Writer>> writers;
    const Seconds period = static_cast<double>(kWriters) / std::max(options_.rate, 0.001);
    for (std::size_t i = 0; i < kWriters; ++i) {
      writers.push_back(std::make_unique<Writer>(context, "w" + std::to_string(i), seeds.next(),
                                                 period, streams_.own[i]));
    }
    for (std::size_t i = 0; i < kFollowers; ++i) {
      followers_.push_back(
          std::make_unique<Follower>(*addresses_, "f" + std::to_string(i + 1), seeds.next()));
    }
    clock_ = RunClock();
    begin_phase("running", options_.lasts);
    for (const auto& writer : writers) writer->start();
    for (const auto& follower : followers_) follower->start();
    Status status;
    for (const Fault& fault : faults) {
      if (!wait_until(fault.at)) break;
      status = inject(fault);
      if (!status.ok()) break;
    }
    if (status.ok()) wait_until(options_.lasts);
    report_.lasted = clock_.now();
    if (end_.early) note("The trial was ended early.");
    end_load(writers);
    if (end_.at_once) return ended_on_request();
    for (const auto& writer : writers) {
      std::ranges::move(writer->appends(), std::back_inserter(history_.appends));
      for (const std::string& words : writer->complaints()) {
        note("A host refused what it should take: " + words);
      }
    }
    return status;
  }

  void end_load(const std::vector<std::unique_ptr<Writer>>& writers) {
    begin_phase("waiting for the last answers", kAnswerPatience);
    for (const auto& writer : writers) writer->end(kAnswerPatience);
    for (const auto& writer : writers) {
      while (!writer->ended() && !end_.at_once) pause();
    }
    // What they wait for comes no more.
    if (end_.at_once) hosts_->kill_all();
  }

  Status inject(const Fault& fault) {
    progress_.fault = fault_name(fault.kind);
    auto done = hosts_->inject(fault);
    progress_.fault.clear();
    tell_of_hosts();
    if (!done.ok()) return done.status();
    report_.faults.push_back(*done);
    return {};
  }

  /// Reads everything, once nothing moves any more.
  Status collect() {
    begin_phase("waiting for the last deliveries", kDeliveryPatience);
    const auto port = hosts_->ready_port();
    tell_of_hosts();
    if (!port.ok()) return port.status();
    const StoreReading reading(*port);
    std::optional<std::uint64_t> undelivered;
    const Seconds until = clock_.now() + kDeliveryPatience;
    do {
      undelivered = reading.undelivered();
      if (undelivered == 0) break;
      pause();
    } while (clock_.now() < until && !end_.at_once);
    if (undelivered != 0) tell_of_undelivered(reading, undelivered);
    if (end_.at_once) return ended_on_request();
    begin_phase("reading the store", 0);
    if (Status status = reading.read(history_, kTransactions); !status.ok()) return status;
    wait_for_consumers();
    for (const auto& follower : followers_) {
      follower->finish();
      history_.followers.push_back(std::move(follower->followed()));
    }
    hosts_->stop_all();
    return take_outbound();
  }

  /// What waits for a broker that is out of reach is neither lost nor shown not to be.
  void tell_of_undelivered(const StoreReading& reading, std::optional<std::uint64_t> undelivered) {
    const std::string count =
        undelivered ? std::to_string(*undelivered) : std::string("It is not known how many");
    const std::string problem = reading.delivery_problem();
    if (problem.empty()) {
      note(count + " events were not delivered two minutes after the end, and count as lost.");
      return;
    }
    note(count + " events still waited to be delivered two minutes after the end, so invariant 2 " +
         "was not looked at. " + problem);
    history_.routes.clear();
    report_.broke_off = true;
  }

  /// They may lag behind. What never comes is for the judge to tell.
  void wait_for_consumers() {
    begin_phase("waiting for the consumers", kConsumerPatience);
    const Seconds until = clock_.now() + kConsumerPatience;
    while (clock_.now() < until && !end_.at_once) {
      bool all = true;
      for (const auto& follower : followers_)
        all = all && follower->count() >= history_.feed.size();
      std::uint64_t wanted = 0;
      std::uint64_t seen = 0;
      for (const auto& [name, consumer] : consumers_) {
        if (tap(name)) continue;
        seen += consumer->distinct();
        for (const auto& [broker, route] : scratch_.routes()) {
          if (broker != name) continue;
          for (const EventSeen& event : history_.feed) wanted += route.takes(event.stream) ? 1 : 0;
        }
      }
      if (all && seen >= wanted) return;
      pause();
    }
  }

  Status take_outbound() {
    for (const auto& [name, consumer] : consumers_) {
      if (const auto file = tap(name)) {
        for (const OwnBroker& own : scratch_.brokers()) {
          if (own.name != name) continue;
          if (Status status = consumer->read_tap(*file, own.topics); !status.ok()) return status;
        }
      }
      consumer->stop();
      if (consumer->gaps() > 0) {
        note("The broker " + name + " told this client " + std::to_string(consumer->gaps()) +
             " times that it may have missed messages; a loss may be the client's.");
      }
      auto messages = consumer->messages();
      std::ranges::move(messages, std::back_inserter(history_.outbound));
    }
    return {};
  }

  Status give_up(const Status& why) {
    end();
    return why;
  }

  void end() {
    begin_phase("cleaning up", 0);
    if (hosts_ && end_.at_once) hosts_->kill_all();
    for (const auto& follower : followers_) follower->finish();
    if (hosts_) hosts_->stop_all();
    consumers_.clear();
    if (options_.keep && scratch_.made_directory()) note("Kept: " + scratch_.plan().directory);
    for (const std::string& words : scratch_.clean_up()) note("Not removed: " + words);
  }

  void tell_of_hosts() {
    for (const std::string& words : hosts_->take_notes()) note(words);
  }

  void note(const std::string& words) {
    report_.notes.push_back(words);
    sink_.say(words);
  }

  void begin_phase(const std::string& words, Seconds lasts) {
    progress_.phase = words;
    progress_.lasts = lasts;
    phase_began_ = clock_.now();
    next_show_ = 0;
    show();
  }

  /// Says once what comes of a wish to end.
  void answer_end() {
    if (end_.early && !std::exchange(heard_early_, true) && !followers_.empty()) {
      sink_.say(
          "Ending: the last answers and deliveries are waited for, then what was seen is judged. "
          "Once more: no verdict, only cleaning up.");
    }
    if (end_.at_once && !std::exchange(heard_at_once_, true)) {
      sink_.say("Cleaning up. Once more leaves behind what is named " + scratch_.plan().store() +
                ".");
    }
  }

  void show() {
    answer_end();
    const Seconds now = clock_.now();
    if (now < next_show_) return;
    next_show_ = now + kBetweenShows;
    progress_.passed = now - phase_began_;
    progress_.committed = counts_.committed;
    progress_.refused = counts_.refused;
    progress_.unanswered = counts_.unanswered;
    progress_.seen = counts_.seen;
    sink_.show(progress_);
  }

  void pause() {
    show();
    pause_for(kBetweenShows);
  }

  /// False when the run shall end.
  bool wait_until(Seconds when) {
    while (!end_.early && clock_.now() < when) {
      show();
      pause_for(std::min(0.02, std::max(when - clock_.now(), 0.0)));
    }
    return !end_.early;
  }

  const ProveOptions& options_;
  ProgressSink& sink_;
  const EndRequest& end_;
  bool heard_early_ = false;
  bool heard_at_once_ = false;
  RunClock clock_;
  Counts counts_;
  KnownHeads heads_;
  Progress progress_;
  Seconds phase_began_ = 0;
  Seconds next_show_ = 0;
  Report report_;
  History history_;
  StreamNames streams_;
  Scratch scratch_;
  std::unique_ptr<HostAddresses> addresses_;
  std::unique_ptr<HostGroup> hosts_;
  std::vector<std::pair<std::string, std::unique_ptr<OutboundConsumer>>> consumers_;
  std::vector<std::unique_ptr<Follower>> followers_;
};

}  // namespace

Result<Report> prove(const ProveOptions& options, plugins::PluginCatalog& catalog,
                     config::PluginTables& tables, HostServices& services, ProgressSink& progress,
                     const EndRequest& end) {
  return Trial(options, catalog, tables, services, progress, end).run();
}

}  // namespace vouch::prove
