#include "run.h"

#include <algorithm>
#include <thread>

#include "publish/publish_call.h"
#include "vouch/dead_letter_store.h"

namespace vouch::replay {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::uint32_t kMostPageEvents = 500;
/// A bounded rate is kept over pieces of a second of this many parts.
constexpr std::uint32_t kPagesPerSecond = 10;
constexpr milliseconds kBetweenLooks{200};
constexpr milliseconds kNap{50};
constexpr std::uint32_t kLetterPage = 1'000;

void rest(steady_clock::time_point until, const std::atomic<bool>& give_up) {
  for (auto now = steady_clock::now(); now < until && !give_up; now = steady_clock::now()) {
    std::this_thread::sleep_for(std::min<steady_clock::duration>(kNap, until - now));
  }
}

}  // namespace

Run::Run(ReplayOptions options, ReplayRequest request, Storage& storage,
         const std::vector<const publish::Route*>& routes, std::unique_ptr<Source> source,
         HostServices& services, std::shared_ptr<std::atomic<bool>> taken)
    : options_(std::move(options)),
      request_(std::move(request)),
      storage_(storage),
      services_(services),
      taken_(std::move(taken)),
      source_(std::move(source)),
      earlier_(storage.ledger(), options_.partitions) {
  for (const publish::Route* route : routes) {
    const Label label{"route", route->name};
    Outgoing& outgoing = outgoing_.emplace_back();
    outgoing.route = route;
    outgoing.most = kMostPageEvents;
    outgoing.published = &services.metrics().counter(
        "vouch_replay_messages_total", "Messages of replays acknowledged on a route.", {&label, 1});
  }
  source_->place(progress_);
  if (!request_.dry_run) services_.logger().info("a replay begins", {});
}

Run::~Run() {
  if (!request_.dry_run) {
    services_.logger().info(
        progress_.state == ReplayState::done ? "a replay is done" : "a replay was broken off",
        {{"published", std::to_string(progress_.published)},
         {"refused", std::to_string(progress_.refused)}});
  }
  taken_->store(false);
}

ReplayProgress Run::work(Time deadline, const std::atomic<bool>& give_up) {
  while (progress_.state != ReplayState::done && !give_up) {
    rest(std::min(next_step_, deadline), give_up);
    if (give_up || steady_clock::now() >= deadline) break;
    step(give_up);
  }
  return progress_;
}

void Run::step(const std::atomic<bool>& give_up) {
  if (progress_.state == ReplayState::waiting && !request_.dry_run) {
    wait_for_delivery();
  } else if (page_.loaded) {
    publish_page(give_up);
  } else if (source_->ended()) {
    progress_.state = ReplayState::done;
  } else {
    progress_.state = ReplayState::running;
    load_page();
  }
}

void Run::wait_for_delivery() {
  const Result<bool> delivered = earlier_.delivered();
  if (!delivered.ok()) return pause(delivered.status().to_string());
  if (!*delivered) {
    next_step_ = steady_clock::now() + kBetweenLooks;
    return;
  }
  if (const Status status = read_letters(); !status.ok()) return pause(status.to_string());
  progress_.state = ReplayState::running;
  went_on();
}

/// Those that come later are of later events.
Status Run::read_letters() {
  void* found = storage_.query(DeadLetterStore::kInterface);
  if (found == nullptr) return {};
  DeadLetterStore& store = *static_cast<DeadLetterStore*>(found);
  letters_.clear();
  DeadLetterKey after;
  for (bool more = true; more;) {
    const Result<std::vector<DeadLetter>> page = store.list({}, after, kLetterPage);
    if (!page.ok()) return page.status().with_context("read dead letters");
    for (const DeadLetter& letter : *page) {
      letters_[{letter.key.route, letter.key.stream}] = letter.version;
    }
    more = page->size() == kLetterPage;
    if (more) after = page->back().key;
  }
  return {};
}

std::uint32_t Run::page_events() const {
  if (request_.rate == 0 || request_.dry_run) return kMostPageEvents;
  return std::clamp(request_.rate / kPagesPerSecond, 1U, kMostPageEvents);
}

void Run::load_page() {
  page_ = {};
  for (Outgoing& outgoing : outgoing_) outgoing.events.clear();
  const Status read = source_->page(page_events(), *this);
  if (!read.ok()) return pause(read.with_context("read events").to_string());
  page_.loaded = true;
}

bool Run::event(const EventView& event) {
  ++page_.events;
  page_.reached = event.time;
  for (Outgoing& outgoing : outgoing_) {
    const publish::Route& route = *outgoing.route;
    if (!publish::takes(route, event.stream, event.type)) continue;
    if (held_back(route, event)) {
      ++page_.held_back;
    } else if (request_.dry_run) {
      ++page_.counted;
    } else {
      outgoing.events.push_back(publish::OutboundEvent::of(event, route, options_.store, 0, true));
    }
  }
  return true;
}

bool Run::held_back(const publish::Route& route, const EventView& event) const {
  if (letters_.empty()) return false;
  const auto letter = letters_.find({route.name, std::string(event.stream)});
  return letter != letters_.end() && event.version >= letter->second;
}

/// Publishes on all routes at once, and keeps what was not acknowledged: of a stream that is the
/// end, because a message that fails fails those of its key behind it.
void Run::publish_page(const std::atomic<bool>& give_up) {
  std::vector<std::pair<Outgoing*, publish::PublishCall>> calls;
  for (Outgoing& outgoing : outgoing_) {
    std::vector<Message> messages;
    for (const publish::OutboundEvent& event : outgoing.events) {
      if (messages.size() == outgoing.most) break;
      messages.push_back(event.message());
    }
    if (messages.empty()) continue;
    calls.emplace_back(&outgoing, publish::PublishCall(*outgoing.route->broker, messages,
                                                       options_.publish_timeout));
  }
  std::uint64_t acked = 0;
  std::string problem;
  for (auto& [outgoing, call] : calls) {
    const publish::PublishReport report = call.wait(give_up);
    std::vector<publish::OutboundEvent> left;
    std::uint64_t acked_here = 0;
    for (std::size_t i = 0; i < outgoing->events.size(); ++i) {
      const PublishOutcome outcome =
          i < report.outcomes.size() ? report.outcomes[i] : PublishOutcome::unknown;
      if (outcome == PublishOutcome::acked) {
        ++acked_here;
      } else if (outcome == PublishOutcome::rejected) {
        ++progress_.refused;
        services_.logger().warning(
            "a broker refuses an event of a replay, which goes on without it",
            {{"route", outgoing->route->name},
             {"event", outgoing->events[i].id.to_string()},
             {"reason", report.refusals.at(i).message()}});
      } else {
        if (i < report.outcomes.size() && problem.empty()) {
          problem = outgoing->events[i].topic + ": " + report.problem.to_string();
        }
        left.push_back(std::move(outgoing->events[i]));
      }
    }
    const bool overloaded = report.problem.code() == StatusCode::overloaded;
    outgoing->most = overloaded ? std::max<std::size_t>(outgoing->most / 2, 1)
                                : std::min<std::size_t>(outgoing->most * 2, kMostPageEvents);
    outgoing->events = std::move(left);
    outgoing->published->add(static_cast<double>(acked_here));
    acked += acked_here;
  }
  progress_.published += acked;
  const auto now = steady_clock::now();
  if (request_.rate > 0) {
    next_step_ = std::max(next_step_, now - std::chrono::seconds(1) / kPagesPerSecond) +
                 std::chrono::microseconds(1'000'000 * acked / request_.rate);
  }
  const bool all = std::ranges::all_of(
      outgoing_, [](const Outgoing& outgoing) { return outgoing.events.empty(); });
  if (all) {
    finish_page();
  } else if (!problem.empty() && !give_up) {
    pause(problem);
  }
}

void Run::finish_page() {
  source_->advance();
  source_->place(progress_);
  progress_.events += page_.events;
  progress_.published += page_.counted;
  progress_.held_back += page_.held_back;
  if (page_.reached) progress_.reached = page_.reached;
  page_ = {};
  went_on();
}

void Run::pause(const std::string& problem) {
  retry_ = retry_.count() == 0 ? options_.first_retry : std::min(retry_ * 2, options_.max_retry);
  next_step_ = steady_clock::now() + retry_;
  if (progress_.problem != problem) {
    services_.logger().warning("a replay is held up; trying again", {{"problem", problem}});
  }
  progress_.problem = problem;
}

void Run::went_on() {
  retry_ = milliseconds(0);
  progress_.problem.clear();
}

}  // namespace vouch::replay
