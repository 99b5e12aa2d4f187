#include "application.h"

#include <unistd.h>

#include <algorithm>
#include <random>
#include <utility>

#include "exit_codes.h"
#include "format/text_codec.h"
#include "held_up.h"
#include "info_json.h"
#include "room_options.h"
#include "terminal.h"
#include "version.h"

namespace vouch::app {

using std::chrono::steady_clock;

Application::Application(const config::Config& config, plugins::PluginCatalog& catalog,
                         observe::Logging& logging, double lost_validation)
    : config_(config),
      logging_(logging),
      lost_validation_(lost_validation),
      services_(logging),
      log_(services_.named("host").logger()),
      calls_({config.plugins.call_limit, held_up_by}, services_.named("host")),
      stop_limit_(calls_, [this](const std::string& calls) { end_without_stopping(calls); }),
      backends_(config, catalog, services_, &calls_) {
  const Label labels[] = {{"version", kVersion}};
  services_.metrics().gauge("vouch_build_info", "1, labelled with the version", labels).set(1);
}

Application::~Application() {
  stop(steady_clock::now());
  if (hurrying_.joinable()) hurrying_.join();
}

Status Application::start() {
  if (Status status = backends_.load(); !status.ok()) return status;
  if (Status status = backends_.open_storage(); !status.ok()) return status;
  if (Status status = backends_.migrate(); !status.ok()) return status;
  log_.info("store open", {{"store", config_.store.name},
                           {"partitions", std::to_string(config_.store.partitions)},
                           {"storage", backends_.storage_plugin().descriptor->name}});
  if (Status status = backends_.open_brokers(); !status.ok()) return status;
  topics_ = std::make_unique<BrokerTopics>(config_, backends_, services_.named("host"));
  if (Status status = topics_->start(); !status.ok()) return status;
  for (const std::string& doubt : doubts(config_, backends_)) log_.warning(doubt);

  if (Status status = start_delivery(); !status.ok()) return status;
  if (Status status = start_reading(); !status.ok()) return status;
  if (Status status = start_append(); !status.ok()) return status;
  return start_http();
}

Status Application::start_delivery() {
  auto outbound = routes(config_, backends_);
  if (!outbound.ok()) return outbound.status();
  replays_ = std::make_unique<replay::Replays>(replay_options(config_), backends_.storage(),
                                               *outbound, services_.named("replay"));
  Broker* validation = &backends_.broker(config_.validation.broker);
  if (lost_validation_ > 0) {
    losing_broker_ = std::make_unique<prove::LosingBroker>(*validation, lost_validation_,
                                                           std::random_device()());
    validation = losing_broker_.get();
  }
  auto saga = std::make_unique<saga::Saga>(saga_options(config_), backends_.storage(), *validation,
                                           std::move(outbound).value(), services_.named("saga"));
  {
    const std::lock_guard lock(parts_mutex_);
    saga_ = std::move(saga);
  }
  return saga_->start().with_context("can't start delivery");
}

Status Application::start_reading() {
  live_feed_ = std::make_unique<read::LiveFeed>(
      read::LiveFeedOptions{}, backends_.storage().reader(), services_.named("read"));
  if (Status status = live_feed_->start(); !status.ok()) {
    return status.with_context("can't follow the feed");
  }
  if (void* snapshots = backends_.storage().query(SnapshotStore::kInterface)) {
    snapshot_saver_ = std::make_unique<read::SnapshotSaver>(*static_cast<SnapshotStore*>(snapshots),
                                                            services_.named("read"),
                                                            config_.snapshots.queue_bytes);
    snapshot_saver_->start();
  }
  return {};
}

Status Application::start_append() {
  ended_transactions_ = std::make_unique<EndedTransactions>(*saga_, *live_feed_);
  auto append = std::make_unique<append::AppendService>(
      append_options(config_), backends_.storage(), backends_.broker(config_.validation.broker),
      *ended_transactions_, services_.named("append"));
  {
    const std::lock_guard lock(parts_mutex_);
    append_ = std::move(append);
  }
  return append_->start().with_context("can't open the lanes");
}

Status Application::start_http() {
  void* snapshots = backends_.storage().query(SnapshotStore::kInterface);
  void* erasures = backends_.storage().query(ErasureStore::kInterface);
  // Asked for by every client and monitor, and constant while the host runs.
  const std::string info = info_json(config_, backends_);
  http::HttpBackends served{.append = *append_,
                            .saga = *saga_,
                            .replays = *replays_,
                            .storage = backends_.storage(),
                            .snapshots = static_cast<SnapshotStore*>(snapshots),
                            .snapshot_saver = snapshot_saver_.get(),
                            .erasures = static_cast<ErasureStore*>(erasures),
                            .live_feed = *live_feed_,
                            .store = config_.store.name,
                            .partitions = config_.store.partitions,
                            .readiness = [this] { return readiness(); },
                            .stuck_calls = [this] { return stuck_calls(); },
                            .metrics = [this] { return services_.metrics().text(); },
                            .info = [info] { return info; }};
  http::HttpOptions options = http_options(config_);
  options.event_bytes = event_limit(config_, backends_);
  http_ = std::make_unique<http::HttpServer>(std::move(options), std::move(served),
                                             services_.named("http"));
  return http_->start().with_context("can't serve HTTP on " + config_.http.listen);
}

std::vector<http::ReadinessCheck> Application::readiness() {
  std::vector<http::ReadinessCheck> checks;
  const Health storage = backends_.storage().health();
  checks.push_back({"storage", storage.ok, storage.detail});
  for (const auto& [name, named] : backends_.brokers()) {
    const Health broker = named.broker->health();
    checks.push_back({"broker " + name, broker.ok, broker.detail});
  }
  for (http::ReadinessCheck& problem : topics_->problems()) checks.push_back(std::move(problem));

  http::ReadinessCheck lanes{"lanes", true, ""};
  for (const append::LaneReport& lane : append_->lanes()) {
    if (lane.open) continue;
    lanes.ok = false;
    if (!lanes.detail.empty()) lanes.detail += "; ";
    lanes.detail += "lane " + std::to_string(lane.number.value) + ": " + lane.problem;
  }
  checks.push_back(std::move(lanes));

  for (const saga::RouteReport& route : saga_->route_reports()) {
    if (!route.problem.empty()) {
      checks.push_back({"route " + route.name, true, "held up: " + route.problem, true});
    }
    if (route.dead_letters > 0) {
      checks.push_back({"dead letters of route " + route.name, true,
                        std::to_string(route.dead_letters) +
                            " streams wait behind events that the broker refused; see "
                            "/v1/delivery/dead-letters",
                        true});
    }
  }

  const bool draining = draining_.load();
  checks.push_back({"draining", !draining, draining ? "the host is stopping" : ""});
  return checks;
}

std::vector<http::ReadinessCheck> Application::stuck_calls() const {
  // Any number of requests may be stuck in the same call: the oldest stands for them.
  struct Alike {
    plugins::RunningCall oldest;
    int more = 0;
  };
  std::vector<Alike> groups;
  for (plugins::RunningCall& call : calls_.stuck()) {
    const auto like = std::ranges::find_if(groups, [&](const Alike& group) {
      return group.oldest.plugin == call.plugin && group.oldest.call == call.call &&
             group.oldest.thread == call.thread;
    });
    if (like == groups.end()) {
      groups.push_back({std::move(call)});
    } else {
      ++like->more;
    }
  }
  std::vector<http::ReadinessCheck> checks;
  for (const auto& [call, more] : groups) {
    const std::string others = more == 0 ? "" : ", and " + std::to_string(more) + " more";
    checks.push_back({"plugin " + call.plugin, !call.held_up.whole_host,
                      call.call + " has not returned since " + format::time_text(call.since) +
                          " (thread " + call.thread + others + "): " + call.held_up.what,
                      !call.held_up.whole_host});
  }
  return checks;
}

void Application::begin_drain() {
  draining_.store(true);
  services_.begin_stopping();
  stop_limit_.begin(steady_clock::now() + config_.shutdown.timeout);
}

void Application::end_without_stopping(const std::string& calls) {
  log_.error("ending without having stopped: a plugin's calls do not return", {{"calls", calls}});
  logging_.flush();
  say_error("ending without having stopped: a plugin's calls do not return: " + calls);
  ::_exit(kExitInternal);
}

steady_clock::time_point Application::limit(steady_clock::time_point deadline) const {
  return hurried_.load() ? steady_clock::now() : deadline;
}

void Application::stop(steady_clock::time_point deadline) {
  begin_drain();
  stop_limit_.begin(deadline);
  if (http_) http_->stop(limit(deadline));
  if (append_) append_->stop(limit(deadline));
  if (saga_) saga_->stop(limit(deadline));
  if (snapshot_saver_) snapshot_saver_->stop();
  if (live_feed_) live_feed_->stop();
  if (topics_) topics_->stop();

  http_.reset();
  replays_.reset();
  {
    const std::lock_guard lock(parts_mutex_);
    append_.reset();
    ended_transactions_.reset();
    live_feed_.reset();
    snapshot_saver_.reset();
    saga_.reset();
  }
  topics_.reset();
  backends_.close();
}

void Application::hurry() {
  hurried_.store(true);
  stop_limit_.begin(steady_clock::now());
  // Requests under way wait for appends and deliveries: ending those ends the waiting of `stop`.
  // On a thread of its own, because the caller must stay able to hear the third signal.
  hurrying_ = std::thread([this] {
    const std::lock_guard lock(parts_mutex_);
    if (append_) append_->stop(steady_clock::now());
    if (saga_) saga_->stop(steady_clock::now());
  });
}

std::string Application::address() const {
  const std::string host = config_.http.listen.substr(0, config_.http.listen.rfind(':'));
  return (host.empty() ? "*" : host) + ":" + std::to_string(http_->port());
}

}  // namespace vouch::app
