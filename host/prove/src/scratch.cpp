#include "scratch.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <system_error>
#include <thread>

#include "vouch/scratch.h"

namespace vouch::prove {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOwnName = "own";
constexpr std::chrono::milliseconds kTopicPatience{15'000};
constexpr std::chrono::milliseconds kPlacePatience{30'000};
constexpr std::chrono::milliseconds kEndpointPatience{15'000};

/// What a draft's variables stand for, over this process's own.
class DraftEnvironment final : public config::Environment {
 public:
  explicit DraftEnvironment(std::map<std::string, std::string> values)
      : values_(std::move(values)) {}
  [[nodiscard]] std::optional<std::string> variable(const std::string& name) const override {
    const auto found = values_.find(name);
    return found == values_.end() ? config::process_environment().variable(name)
                                  : std::optional(found->second);
  }

 private:
  const std::map<std::string, std::string> values_;
};

std::string words_of(const std::vector<config::ConfigProblem>& problems) {
  std::string words;
  for (const config::ConfigProblem& problem : problems) {
    if (!problem.warning) words += (words.empty() ? "" : "\n") + problem.text();
  }
  return words;
}

/// Names of runs must differ, also of those with the same seed.
std::string draw_run_id() {
  std::random_device device;
  std::string id;
  while (id.size() < 10)
    id += "abcdefghijklmnopqrstuvwxyz0123456789"[device() % (id.empty() ? 26 : 36)];
  return id;
}

/// The sessions of hosts that were killed may hold locks for a while.
Status remove_patiently(ScratchPlace& place) {
  const auto until = std::chrono::steady_clock::now() + kPlacePatience;
  while (true) {
    Status status = place.remove();
    const bool curable = status.code() == StatusCode::contended ||
                         status.code() == StatusCode::timeout || status.code() == StatusCode::held;
    if (!curable || std::chrono::steady_clock::now() > until) return status;
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

}  // namespace

Scratch::Scratch(const ProveOptions& options, plugins::PluginCatalog& catalog,
                 config::PluginTables& tables, HostServices& services)
    : options_(options), catalog_(catalog), tables_(tables), services_(services) {}

Scratch::~Scratch() {
  clean_up();
}

Status Scratch::prepare() {
  if (Status status = read_users(); !status.ok()) return status;
  if (Status status = make_directory(); !status.ok()) return status;
  if (Status status = make_plugins(); !status.ok()) return status;
  return make_place();
}

Status Scratch::read_users() {
  config::LoadedConfig loaded =
      config::load_config_file(options_.config, tables_, config::process_environment());
  config::LoadedDraft draft =
      config::ConfigDraft::from_file(options_.config, config::process_environment());
  if (!loaded.config || !draft.draft) {
    return {StatusCode::failed_precondition,
            words_of(loaded.config ? draft.problems : loaded.problems)};
  }
  config_ = std::move(loaded.config);
  users_.emplace(*std::move(draft.draft));
  catalog_.add_config_directories(config_->plugins.search_path);
  const auto facts = [&](PluginKind kind, const std::string& plugin) -> Result<PluginFacts> {
    auto found = catalog_.load(kind, plugin);
    if (!found.ok()) return found.status();
    const PluginDescriptor& descriptor = *found->descriptor;
    return PluginFacts{descriptor.name, {descriptor.settings, descriptor.setting_count}};
  };
  auto storage = facts(PluginKind::storage, config_->storage.plugin);
  if (!storage.ok()) return storage.status();
  uses_.storage = *storage;
  for (const auto& [name, use] : config_->brokers) {
    auto broker = facts(PluginKind::broker, use.plugin);
    if (!broker.ok()) return broker.status();
    uses_.brokers[name] = *broker;
  }
  return {};
}

Status Scratch::make_directory() {
  std::error_code error;
  const fs::path temporary = fs::temp_directory_path(error);
  if (error) {
    return {StatusCode::failed_precondition,
            "there is no directory for temporary files (TMPDIR): " + error.message()};
  }
  const fs::path file = fs::absolute(options_.config, error);
  plan_.id = draw_run_id();
  plan_.base_directory = file.parent_path().string();
  plan_.directory = (fs::absolute(temporary, error) / plan_.store()).string();
  plan_.overrides = options_.overrides;
  routes_ = scratch_routes(*config_, uses_, plan_);
  if (::mkdir(plan_.directory.c_str(), 0700) != 0) {
    const int why = errno;
    return {why == EACCES || why == EPERM || why == EROFS ? StatusCode::permission_denied
                                                          : StatusCode::unavailable,
            "can't make the directory " + plan_.directory + ": " + std::strerror(why)};
  }
  made_directory_ = true;
  return {};
}

Result<config::ConfigDraft> Scratch::draft_for(const std::string& host) const {
  return scratch_config(*users_, *config_, uses_, plan_, host);
}

Result<std::string> Scratch::write(const config::ConfigDraft& draft,
                                   const std::string& host) const {
  const std::string file = plan_.directory + "/" + host + ".yaml";
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << draft.yaml();
  out.close();
  if (!out) return Status(StatusCode::unavailable, "can't write " + file);
  std::error_code error;
  fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write, error);
  return file;
}

Status Scratch::make_plugins() {
  const auto draft = draft_for(kOwnName);
  if (!draft.ok()) return draft.status();
  const DraftEnvironment environment(draft->environment());
  const config::LoadedConfig loaded = config::load_config_text(
      draft->yaml(), options_.config, plan_.directory, tables_, environment);
  if (!loaded.config) {
    return {StatusCode::failed_precondition,
            "the trial's own configuration can't be used: " + words_of(loaded.problems)};
  }
  auto plugin = catalog_.load(PluginKind::storage, loaded.config->storage.plugin);
  if (!plugin.ok()) return plugin.status();
  auto storage = catalog_.create_storage(*plugin, services_, *loaded.config->storage.settings);
  if (!storage.ok()) return storage.status();
  storage_ = std::move(storage).value();
  validation_topic_ = loaded.config->validation.topic;
  for (const auto& [name, use] : loaded.config->brokers) {
    auto found = catalog_.load(PluginKind::broker, use.plugin);
    if (!found.ok()) return found.status();
    auto broker = catalog_.create_broker(*found, services_, *use.settings, name);
    if (!broker.ok()) return broker.status();
    brokers_.push_back({name, std::move(broker).value(), {}});
    if (!brokers_.back().broker->capabilities().several_hosts) continue;
    if (Status status = brokers_.back().broker->open(); !status.ok()) return status;
    if (Status status = learn_endpoints(brokers_.back()); !status.ok()) return status;
  }
  return {};
}

Status Scratch::learn_endpoints(const OwnBroker& own) {
  auto* const servers =
      static_cast<ServerEndpoints*>(own.broker->query(ServerEndpoints::kInterface));
  if (servers == nullptr) return {};
  auto endpoints = servers->endpoints(kEndpointPatience);
  if (!endpoints.ok()) return endpoints.status().with_context("broker " + own.name);
  PluginFacts& facts = uses_.brokers.at(own.name);
  facts.endpoints = std::move(endpoints).value();
  facts.redirects = servers->redirects();
  return {};
}

std::vector<std::string> Scratch::categories() const {
  std::set<std::string> found;
  for (const auto& [broker, route] : routes_) {
    found.insert(route.categories.begin(), route.categories.end());
    if (route.categories.empty()) found.insert({"hot", "many"});
  }
  if (found.empty()) found.insert("hot");
  return {found.begin(), found.end()};
}

void Scratch::set_streams(const std::vector<std::string>& streams) {
  for (OwnBroker& own : brokers_) {
    for (const auto& [broker, route] : routes_) {
      if (broker != own.name) continue;
      for (const std::string& stream : streams) {
        if (route.takes(stream)) own.topics.insert(route.topic_of(stream));
      }
    }
  }
}

Status Scratch::make_place() {
  auto* const place = static_cast<ScratchPlace*>(storage_->query(ScratchPlace::kInterface));
  if (place != nullptr) {
    if (Status status = place->make(); !status.ok()) return status;
  }
  made_place_ = true;
  return ask_storage();
}

Status Scratch::ask_storage() {
  Status status =
      storage_->open().with_context("can't open the database (" + uses_.storage.name + ")");
  if (status.ok()) {
    status = storage_->check().with_context("the database can't keep the promise (" +
                                            uses_.storage.name + ")");
  }
  storage_->close();
  return status;
}

void Scratch::remove_topics(OwnBroker& own, std::vector<std::string>& left) {
  auto* const topics = static_cast<ScratchTopics*>(own.broker->query(ScratchTopics::kInterface));
  if (topics == nullptr || !made_place_) return;
  std::vector<std::string> names(own.topics.begin(), own.topics.end());
  if (config_->validation.broker == own.name) names.push_back(validation_topic_);
  const Status status = topics->remove(names, kTopicPatience);
  if (!status.ok()) left.push_back("topics of broker " + own.name + ": " + status.message());
}

void Scratch::remove_place(std::vector<std::string>& left) {
  if (!made_place_) return;
  auto* const place = static_cast<ScratchPlace*>(storage_->query(ScratchPlace::kInterface));
  if (place != nullptr) {
    const Status status = remove_patiently(*place);
    if (!status.ok()) left.push_back(status.message());
  } else if (!options_.overrides.empty()) {
    left.push_back("the store of " + uses_.storage.name + ", which has no way to remove one (" +
                   plan_.store() + ")");
  }
}

std::vector<std::string> Scratch::clean_up() {
  std::vector<std::string> left;
  for (OwnBroker& own : brokers_) {
    if (!options_.keep) remove_topics(own, left);
    own.broker->close();
  }
  brokers_.clear();
  if (storage_ && !options_.keep) remove_place(left);
  storage_.reset();
  made_place_ = false;
  if (made_directory_ && !options_.keep) {
    std::error_code error;
    fs::remove_all(plan_.directory, error);
    if (error) left.push_back(plan_.directory + ": " + error.message());
  }
  made_directory_ = false;
  return left;
}

}  // namespace vouch::prove
