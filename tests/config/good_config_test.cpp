// Files that are right: defaults, everything given, what is shown of them, warnings, and the file
// that is shipped.
#include <catch2/catch.hpp>
#include <filesystem>
#include <set>

#include "config_fixture.h"

namespace vouch::config::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kEverything = R"(# every setting, none at its default
store: { name: shop, partitions: 16 }
storage:
  plugin: storage-fake
  settings: { path: data/vouch.db, password: "${DB_PASSWORD}", pool: 8, timeout: 250ms,
              mode: normal, hosts: [a, b], extra: { x: "1", y: yes } }
brokers:
  main: { plugin: broker-fake }
  edge: { plugin: broker-fake, settings: {} }
validation: { broker: edge, topic: shop.validation }
outbound:
  - { broker: main, topic: "shop.{category}", categories: [order, invoice], types: [Placed], format: binary }
  - { broker: edge, topic: "vouch/{category}/{stream}/{type}" }
append: { lanes: 8, max_group_events: 100, max_group_bytes: 512KiB, queue: 1000, queue_timeout: 4s, cached_heads: 0,
          publish_timeout: 1s, resolve_timeout: 2s, idempotency_wait: 0 }
delivery: { sweep_interval: 500ms, publish_timeout: 3s, max_round_events: 10, first_retry: 1ms,
            max_retry: 1m, keep: 1h }
http: { listen: "[::1]:8080", max_connections: 5, max_followers: 6, request_timeout: 7s,
        keep_alive_timeout: 8s, heartbeat: 9s }
limits: { body_bytes: 2MiB, event_bytes: 64KiB, events_per_append: 10, page: 100 }
snapshots: { queue_bytes: 1MiB }
log: { level: debug, format: json, file: vouch.log }
plugins: { search_path: [/opt/plugins, more], call_limit: 2m }
shutdown: { timeout: 3s }
)";

LoadedConfig load_everything() {
  return load(kEverything, variables({{"DB_PASSWORD", "hunter2"}}));
}

TEST_CASE("the least config has sensible defaults for everything else") {
  const LoadedConfig loaded = load(kRest);
  CHECK(problems_of(loaded).empty());
  REQUIRE(loaded.config);
  const Config& config = *loaded.config;
  CHECK(config.store.name == "default");
  CHECK(config.store.partitions == 8);
  CHECK(config.validation.broker == "main");
  CHECK(config.validation.topic == "vouch.validation");
  REQUIRE(config.outbound.size() == 1);
  CHECK(config.outbound[0].broker == "main");
  CHECK(config.outbound[0].topic == "events.{category}");
  CHECK(config.outbound[0].categories.empty());
  CHECK(config.append.lanes == 4);
  CHECK(config.append.max_group_events == 1000);
  CHECK(config.append.max_group_bytes == 1U << 20U);
  CHECK(config.append.queue == 20'000);
  CHECK(config.append.queue_timeout == seconds{15});
  CHECK(config.append.cached_heads == 100'000);
  CHECK(config.append.publish_timeout == seconds{5});
  CHECK(config.append.resolve_timeout == seconds{10});
  CHECK(config.append.idempotency_wait == seconds{2});
  CHECK(config.delivery.sweep_interval == seconds{1});
  CHECK(config.delivery.publish_timeout == seconds{10});
  CHECK(config.delivery.max_round_events == 2'000);
  CHECK(config.delivery.first_retry == milliseconds{100});
  CHECK(config.delivery.max_retry == seconds{5});
  CHECK(config.delivery.keep == hours{7 * 24});
  CHECK(config.http.listen == "127.0.0.1:7070");
  CHECK(config.http.max_connections == 512);
  CHECK(config.http.max_followers == 1'000);
  CHECK(config.http.request_timeout == seconds{30});
  CHECK(config.http.keep_alive_timeout == seconds{60});
  CHECK(config.http.heartbeat == seconds{15});
  CHECK(config.limits.body_bytes == 8U << 20U);
  CHECK(config.limits.event_bytes == 1U << 20U);
  CHECK(config.limits.events_per_append == 1'000);
  CHECK(config.limits.page == 5'000);
  CHECK(config.snapshots.queue_bytes == 64U << 20U);
  CHECK(config.log.level == "info");
  CHECK(config.log.format == "text");
  CHECK(config.log.file.empty());
  CHECK(config.plugins.search_path.empty());
  CHECK(config.plugins.call_limit == seconds{60});
  CHECK(config.shutdown.timeout == seconds{20});
}

TEST_CASE("every setting that is given counts") {
  const LoadedConfig loaded = load_everything();
  CHECK(problems_of(loaded).empty());
  REQUIRE(loaded.config);
  const Config& config = *loaded.config;
  CHECK(config.store.name == "shop");
  CHECK(config.storage.plugin == "storage-fake");
  CHECK(config.storage.settings->text("path") == "/etc/vouch/data/vouch.db");
  CHECK(config.storage.settings->text("password") == "hunter2");
  CHECK(config.storage.settings->map("extra") ==
        std::vector<std::pair<std::string, std::string>>{{"x", "1"}, {"y", "yes"}});
  CHECK(config.storage.place.line == 3);
  CHECK(config.brokers.size() == 2);
  CHECK(config.brokers.at("edge").settings != nullptr);
  CHECK(config.validation.broker == "edge");
  REQUIRE(config.outbound.size() == 2);
  CHECK(config.outbound[0].types == std::vector<std::string>{"Placed"});
  CHECK(config.outbound[1].place.line == 13);
  CHECK(config.append.idempotency_wait == milliseconds{0});
  CHECK(config.delivery.keep == hours{1});
  CHECK(config.log.file == "/etc/vouch/vouch.log");
  CHECK(config.plugins.search_path == std::vector<std::string>{"/opt/plugins", "/etc/vouch/more"});
  CHECK(config.plugins.call_limit == seconds{120});
}

TEST_CASE("the search path of the file is used for its own plugins") {
  FakePlugins plugins;
  load_config_text("plugins: { search_path: [here] }\n" + kRest, "v.yaml", "/etc/vouch", plugins,
                   FakeEnvironment());
  CHECK(plugins.last_search_path == std::vector<std::string>{"/etc/vouch/here"});
}

TEST_CASE("what is in effect is shown line by line, without secrets") {
  const LoadedConfig loaded = load_everything();
  REQUIRE(loaded.config);
  CHECK(show_config(*loaded.config) == R"(store.name: shop
store.partitions: 16
storage.plugin: storage-fake
storage.settings.path: /etc/vouch/data/vouch.db
storage.settings.password: [secret]
storage.settings.pool: 8
storage.settings.timeout: 250ms
storage.settings.mode: normal
storage.settings.hosts: [a, b]
storage.settings.extra: {x: 1, y: yes}
brokers.edge.plugin: broker-fake
brokers.main.plugin: broker-fake
validation.broker: edge
validation.topic: shop.validation
outbound[0].name: main/shop.{category}
outbound[0].broker: main
outbound[0].topic: shop.{category}
outbound[0].categories: [order, invoice]
outbound[0].types: [Placed]
outbound[0].format: binary
outbound[1].name: edge/vouch/{category}/{stream}/{type}
outbound[1].broker: edge
outbound[1].topic: vouch/{category}/{stream}/{type}
outbound[1].categories: []  # default
outbound[1].types: []  # default
outbound[1].format: structured  # default
append.lanes: 8
append.max_group_events: 100
append.max_group_bytes: 512KiB
append.queue: 1000
append.queue_timeout: 4s
append.cached_heads: 0
append.publish_timeout: 1s
append.resolve_timeout: 2s
append.idempotency_wait: 0
delivery.sweep_interval: 500ms
delivery.publish_timeout: 3s
delivery.max_round_events: 10
delivery.first_retry: 1ms
delivery.max_retry: 1m
delivery.keep: 1h
http.listen: [::1]:8080
http.max_connections: 5
http.max_followers: 6
http.request_timeout: 7s
http.keep_alive_timeout: 8s
http.heartbeat: 9s
limits.body_bytes: 2MiB
limits.event_bytes: 64KiB
limits.events_per_append: 10
limits.page: 100
snapshots.queue_bytes: 1MiB
log.level: debug
log.format: json
log.file: /etc/vouch/vouch.log
plugins.search_path: [/opt/plugins, /etc/vouch/more]
plugins.call_limit: 2m
shutdown.timeout: 3s
)");
}

TEST_CASE("defaults are marked as such") {
  const LoadedConfig loaded = load("append: { lanes: 5 }\n" + kRest);
  REQUIRE(loaded.config);
  const std::string shown = show_config(*loaded.config);
  CHECK_THAT(shown, Catch::Contains("append.lanes: 5\n"));
  CHECK_THAT(shown, Catch::Contains("append.queue: 20000  # default\n"));
  CHECK_THAT(shown, Catch::Contains("storage.settings.pool: 4  # default\n"));
  CHECK_THAT(shown, Catch::Contains("log.file: \"\"  # default\n"));
  CHECK_THAT(shown, Catch::Contains("storage.settings.password: (not set)  # default\n"));
}

TEST_CASE("every row of the sections' tables is shown, so that none is forgotten") {
  const LoadedConfig loaded = load(kRest);
  REQUIRE(loaded.config);
  const std::string shown = show_config(*loaded.config);
  for (const SectionTable& section : host_sections()) {
    const std::string name(section.path);
    if (name == "storage" || name == "brokers.NAME") continue;
    for (const SettingSpec& spec : section.settings) {
      const std::string path = name + (section.is_list ? "[0]." : ".") + spec.key;
      CHECK_THAT("\n" + shown, Catch::Contains("\n" + path + ": "));
    }
  }
}

TEST_CASE("without routes nothing is published, which is allowed but said") {
  const LoadedConfig loaded = load("outbound: []\n" + kRest);
  CHECK(problems_of(loaded) ==
        "v.yaml:1:11: warning: outbound: is empty: events are stored, but never published\n");
  REQUIRE(loaded.config);
  CHECK(loaded.config->outbound.empty());
  CHECK_THAT(show_config(*loaded.config), Catch::Contains("outbound: []\n"));
}

TEST_CASE("lanes that could never have work are warned of") {
  const LoadedConfig loaded = load("append: { lanes: 16 }\n" + kRest);
  CHECK(problems_of(loaded) ==
        "v.yaml:1:18: warning: append.lanes: only 8 of 16 lanes will work, since there are 8 "
        "partitions (store.partitions)\n");
  CHECK(loaded.config.has_value());
}

TEST_CASE("an address to listen on may leave out the host, or be IPv6") {
  const auto listen = GENERATE(as<std::string>{}, ":7070", "0.0.0.0:0", "[::]:7070", "localhost:1");
  const LoadedConfig loaded = load("http: { listen: \"" + listen + "\" }\n" + kRest);
  CHECK(problems_of(loaded).empty());
  REQUIRE(loaded.config);
  CHECK(loaded.config->http.listen == listen);
}

TEST_CASE("a section whose settings are all commented out counts as empty") {
  const LoadedConfig loaded = load("append:\n  # lanes: 5\nhttp:\n" + kRest);
  CHECK(problems_of(loaded).empty());
}

TEST_CASE("a byte order mark and carriage returns do no harm") {
  std::string text = "\xef\xbb\xbf" + kRest;
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2) {
    text.replace(at, 1, "\r\n");
  }
  CHECK(problems_of(load(text)).empty());
}

TEST_CASE("a secret written into a file that others can read is warned of") {
  const TemporaryDirectory directory;
  FakePlugins plugins;
  const FakeEnvironment environment = variables({{"DB_PASSWORD", "hunter2"}});
  const auto problems = [&](const std::string& password, fs::perms mode) {
    const std::string file = directory.write(
        "v.yaml", "storage: { plugin: storage-fake, settings: { path: x, password: " + password +
                      " } }\nbrokers: { main: { plugin: broker-fake } }\n");
    fs::permissions(file, mode);
    const LoadedConfig loaded = load_config_file(file, plugins, environment);
    CHECK(loaded.config.has_value());
    return problems_of(loaded);
  };
  const auto open = static_cast<fs::perms>(0644);
  const auto closed = static_cast<fs::perms>(0600);
  CHECK(problems("hunter2", open) ==
        (directory.path() / "v.yaml").string() +
            ":1:65: warning: storage.settings.password: is a secret, but others can read this "
            "file (mode 0644); make the mode 0600, or write ${NAME} or ${file:PATH}\n");
  CHECK(problems("hunter2", closed).empty());
  CHECK(problems("'${DB_PASSWORD}'", open).empty());
  CHECK_THAT(problems("'${NOPE:-hunter2}'", open), Catch::Contains("is a secret"));
}

TEST_CASE("paths of a file count from its own directory") {
  const TemporaryDirectory directory;
  FakePlugins plugins;
  const std::string file = directory.write("v.yaml", kRest);
  const LoadedConfig loaded = load_config_file(file, plugins, FakeEnvironment());
  REQUIRE(loaded.config);
  CHECK(loaded.config->storage.settings->text("path") == (directory.path() / "vouch.db").string());
}

constexpr SettingSpec kPathOnly[] = {
    {"path", SettingType::path, nullptr, 1, 0, nullptr, kSettingRequired, "The file.", nullptr}};

/// Knows any plugin that the shipped file may name.
class ShippedPlugins final : public PluginTables {
 public:
  Result<PluginTable> table(PluginKind kind, const std::string& plugin,
                            const std::vector<std::string>& /*search_path*/) override {
    named.insert(plugin);
    if (kind == PluginKind::storage) return PluginTable{kPathOnly, nullptr};
    return PluginTable{};
  }
  std::set<std::string> named;
};

TEST_CASE("the shipped config file loads without a complaint and holds only defaults") {
  ShippedPlugins plugins;
  const std::string directory = std::string(VOUCH_SOURCE_DIRECTORY) + "/config";
  const LoadedConfig loaded =
      load_config_file(directory + "/vouch.yaml", plugins, FakeEnvironment());
  CHECK(problems_of(loaded).empty());
  REQUIRE(loaded.config);
  CHECK(plugins.named == std::set<std::string>{"storage-sqlite", "broker-local"});
  CHECK(loaded.config->storage.settings->text("path") ==
        std::string(VOUCH_SOURCE_DIRECTORY) + "/data/vouch.db");
  CHECK(loaded.config->append.lanes == 4);
}

TEST_CASE("what the shipped config file has in comments are the defaults") {
  std::ifstream file(std::string(VOUCH_SOURCE_DIRECTORY) + "/config/vouch.yaml");
  std::string text;
  std::string line;
  int commented = 0;
  while (std::getline(file, line)) {
    const auto hash = line.find("# ");
    const auto first = line.find_first_not_of(' ');
    const bool setting =
        hash != std::string::npos && hash == first && line.find(": ") != std::string::npos;
    const bool indented = first == 2 || line.starts_with("#   ");
    if (setting && indented && !line.starts_with("#   vouch")) {
      line.erase(hash, 2);
      ++commented;
    } else if (line == "# outbound:") {
      line = "outbound:";
    }
    text += line + "\n";
  }
  CHECK(commented > 30);
  ShippedPlugins plugins;
  const std::string directory = std::string(VOUCH_SOURCE_DIRECTORY) + "/config";
  const LoadedConfig bare = load_config_file(directory + "/vouch.yaml", plugins, FakeEnvironment());
  const LoadedConfig written =
      load_config_text(text, "vouch.yaml", directory, plugins, FakeEnvironment());
  CHECK(problems_of(written).empty());
  REQUIRE(bare.config);
  REQUIRE(written.config);
  CHECK(show_config(*written.config) == show_config(*bare.config));
}

TEST_CASE("a settings table becomes a Markdown table, advanced settings last") {
  CHECK(settings_markdown(kStorageTable) ==
        "| Setting | Value | Default | Meaning |\n"
        "|---|---|---|---|\n"
        "| `path` | path | **required** | The file. Example: `vouch.db`. |\n"
        "| `password` | text |  | Password. Secret. |\n"
        "| `pool` | whole number, between 1 and 64 | `4` | Sessions. |\n"
        "| `mode` | `full`, `normal` | `full` | Mode. |\n"
        "| `hosts` | list of texts |  | Hosts. |\n"
        "| `extra` | map of texts |  | Extra. |\n"
        "| `timeout` | duration, between 10ms and 1m | `5s` | Patience. Advanced. |\n");
  CHECK(settings_markdown({}) == "There are no settings.\n");
}

}  // namespace
}  // namespace vouch::config::test
