// Configurations of trials: what is changed, what stays, what is never written.
#include "prove/scratch_config.h"

#include <catch2/catch.hpp>

namespace vouch::prove::test {
namespace {

using config::ConfigDraft;

class Variables final : public config::Environment {
 public:
  explicit Variables(std::map<std::string, std::string> values) : values_(std::move(values)) {}
  [[nodiscard]] std::optional<std::string> variable(const std::string& name) const override {
    const auto found = values_.find(name);
    return found == values_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  const std::map<std::string, std::string> values_;
};

constexpr SettingSpec kCertificate{"tls_ca", SettingType::path, nullptr, 1,      0,
                                   nullptr,  kSettingNone,      "",      nullptr};

struct Trial {
  explicit Trial(std::string config) : text(std::move(config)) {}
  std::string text;
  std::string storage = "storage-postgres";
  std::string broker = "broker-mqtt";
  std::vector<Override> overrides = {};
  std::map<std::string, std::string> variables{{"DB", "postgresql://u:s3cret@db:5433/shop"}};

  [[nodiscard]] PluginUses uses() const {
    return {{storage, {&kCertificate, 1}}, {{"main", {broker, {&kCertificate, 1}}}}};
  }
  [[nodiscard]] ScratchPlan plan() const { return {"abc", "/tmp/t", "/etc/vouch", overrides}; }
  [[nodiscard]] static config::Config config() {
    config::Config config;
    config.validation = {"main", "vouch.validation"};
    config::RouteConfig route;
    route.broker = "main";
    route.topic = "events/{category}";
    config.outbound = {route};
    return config;
  }
  [[nodiscard]] Result<ConfigDraft> draft(const std::string& host = "h1") const {
    auto loaded = ConfigDraft::from_text(text, "v.yaml", "/etc/vouch", Variables(variables));
    REQUIRE(loaded.draft);
    return scratch_config(*loaded.draft, config(), uses(), plan(), host);
  }
};

const std::string kNetworked = R"(
storage: { plugin: storage-postgres, settings: { uri: "${DB}", readers: 3 } }
brokers: { main: { plugin: broker-mqtt, settings: { uri: "mqtt://mq", tls_ca: ca.pem } } }
append: { lanes: 2 }
)";

TEST_CASE("A trial has a store, a schema and topics of its own; everything else stays") {
  const auto draft = Trial{kNetworked}.draft();
  REQUIRE(draft.ok());
  CHECK(draft->text({"store", "name"}) == "vouch-prove-abc");
  CHECK(draft->text({"storage", "settings", "schema"}) == "vouch_prove_abc");
  CHECK(draft->text({"storage", "settings", "readers"}) == "3");
  CHECK(draft->text({"append", "lanes"}) == "2");
  CHECK(draft->text({"validation", "topic"}) == "vouch-prove-abc/vouch.validation");
  CHECK(draft->text({"outbound", "0", "topic"}) == "vouch-prove-abc/events/{category}");
  CHECK(draft->text({"brokers", "main", "settings", "client_id"}) == "vouch-prove-abc-h1-main");
  CHECK(draft->text({"http", "listen"}) == "127.0.0.1:0");
}

TEST_CASE("What names the user's topics and types would hide the trial's, and is left out") {
  Trial trial(R"(
storage: { plugin: storage-postgres, settings: { uri: "${DB}" } }
brokers: { main: { plugin: broker-local, settings: { tap: t.jsonl, tap_topics: [events.] } } }
outbound: [ { broker: main, topic: "events.{type}", types: [OrderPlaced], format: binary } ]
)");
  trial.broker = "broker-local";
  const auto draft = trial.draft();
  REQUIRE(draft.ok());
  const std::string yaml = draft->yaml();
  CHECK(yaml.find("types") == std::string::npos);
  CHECK(yaml.find("tap_topics") == std::string::npos);
  CHECK(draft->text({"outbound", "0", "format"}) == "binary");
}

TEST_CASE("Relative paths still count from the user's file") {
  const auto draft = Trial{kNetworked}.draft();
  REQUIRE(draft.ok());
  CHECK(draft->text({"brokers", "main", "settings", "tls_ca"}) == "/etc/vouch/ca.pem");
}

TEST_CASE("What came from outside is handed on by the environment, and never written") {
  const auto draft = Trial{kNetworked}.draft();
  REQUIRE(draft.ok());
  CHECK(draft->yaml().find("s3cret") == std::string::npos);
  const auto environment = draft->environment();
  REQUIRE(environment.size() == 1);
  CHECK(environment.begin()->second == "postgresql://u:s3cret@db:5433/shop");
  const auto again =
      ConfigDraft::from_text(draft->yaml(), "h1.yaml", "/tmp/t", Variables(environment));
  REQUIRE(again.draft);
  CHECK(again.draft->text({"storage", "settings", "uri"}) == "postgresql://u:s3cret@db:5433/shop");
}

TEST_CASE("Texts survive being written and read, dollar signs and quotes too") {
  Trial trial{kNetworked};
  trial.text += "log: { file: '/a$$b \"c\" \\d #e: f' }\n";
  auto loaded = ConfigDraft::from_text(trial.text, "v.yaml", "/", Variables(trial.variables));
  REQUIRE(loaded.draft);
  const auto written = loaded.draft->yaml();
  const auto again =
      ConfigDraft::from_text(written, "w.yaml", "/", Variables(loaded.draft->environment()));
  INFO(written);
  REQUIRE(again.draft);
  CHECK(again.draft->text({"log", "file"}) == "/a$b \"c\" \\d #e: f");
}

TEST_CASE("A file of a trial lies in its directory") {
  Trial trial{
      "storage: { plugin: storage-sqlite, settings: { path: ../data/shop.db } }\n"
      "brokers: { main: { plugin: broker-local } }\n"};
  trial.storage = "storage-sqlite";
  trial.broker = "broker-local";
  const auto draft = trial.draft();
  REQUIRE(draft.ok());
  CHECK(draft->text({"storage", "settings", "path"}) == "/tmp/t/store.db");
  CHECK(tap_of(*draft, trial.uses(), "main") == "/tmp/t/main-h1.jsonl");
  CHECK(links_of(*draft, trial.uses()).empty());
}

TEST_CASE("A storage that is not known is refused in words, unless a setting is named") {
  Trial trial{kNetworked};
  trial.storage = "storage-other";
  const auto refused = trial.draft();
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.status().code() == StatusCode::failed_precondition);
  CHECK(refused.status().message().find("--scratch storage.settings.KEY=VALUE") !=
        std::string::npos);
  trial.overrides = {Override::parse("storage.settings.space=trial_{id}_{host}").value()};
  const auto draft = trial.draft("h2");
  REQUIRE(draft.ok());
  CHECK(draft->text({"storage", "settings", "space"}) == "trial_abc_h2");
}

TEST_CASE("Overrides concern settings of plugins and nothing else") {
  CHECK(Override::parse("storage.settings.a=b=c").value().value == "b=c");
  CHECK(Override::parse("brokers.main.settings.a=").value().path.size() == 4);
  for (const char* wrong : {"", "storage.settings.a", "store.name=x", "storage.plugin=x",
                            "brokers.main.plugin=x", "storage.settings.=x"}) {
    INFO(wrong);
    CHECK_FALSE(Override::parse(wrong).ok());
  }
}

/// The one link of a storage with these settings, and its settings behind a proxy on port 999.
std::pair<Link, ConfigDraft> link_of(const std::string& plugin, const std::string& settings) {
  const auto loaded = ConfigDraft::from_text(
      "storage: { plugin: x, settings: { " + settings + " } }\n", "v.yaml", "/", Variables({}));
  REQUIRE(loaded.draft);
  ConfigDraft draft = *loaded.draft;
  const PluginUses uses{{plugin, {}}, {}};
  const auto links = links_of(draft, uses);
  REQUIRE(links.size() == 1);
  if (links[0].unproxied.empty()) set_address(draft, uses, links[0], 999);
  return {links[0], draft};
}

struct Address {
  const char* plugin;
  const char* settings;
  const char* host;  ///< empty: no proxy
  int port;
  const char* key;
  const char* proxied;
};

TEST_CASE("Addresses of backends are found, and led to a proxy") {
  static constexpr Address kAll[] = {
      {"storage-postgres", "uri: 'postgresql://u:p@db:5433/shop'", "db", 5433, "uri",
       "postgresql://u:p@db:5433/shop?hostaddr=127.0.0.1&port=999"},
      {"storage-postgres", "uri: 'postgresql://db/shop?sslmode=verify-full'", "db", 5432, "uri",
       "postgresql://db/shop?sslmode=verify-full&hostaddr=127.0.0.1&port=999"},
      {"storage-postgres", "uri: 'host=db port=5433 dbname=shop'", "db", 5433, "uri",
       "host=db port=5433 dbname=shop hostaddr=127.0.0.1 port=999"},
      {"storage-postgres", "uri: 'postgresql:///shop'", "", 0, "", ""},
      {"storage-postgres", "uri: 'postgresql://a:1,b:2/shop'", "", 0, "", ""},
      {"storage-mysql", "uri: 'mysql://u:p%40@db:3307/shop'", "db", 3307, "port", "999"},
      {"storage-mysql", "uri: 'mysql://u@db/shop', host: other", "other", 3306, "host",
       "127.0.0.1"},
      {"storage-mysql", "socket: /run/m.sock", "", 0, "", ""},
      {"storage-mysql", "host: db, tls: verify_identity", "", 0, "", ""},
  };
  const Address& address = kAll[GENERATE(range(std::size_t{0}, std::size(kAll)))];
  INFO(address.settings);
  const auto [link, draft] = link_of(address.plugin, address.settings);
  if (*address.host == '\0') {
    CHECK_FALSE(link.unproxied.empty());
    return;
  }
  CHECK(link.unproxied.empty());
  CHECK(link.host == address.host);
  CHECK(link.port == address.port);
  CHECK(draft.text({"storage", "settings", address.key}) == address.proxied);
}

TEST_CASE("A broker's address is led to a proxy inside its uri") {
  Trial trial{kNetworked};
  auto draft = trial.draft();
  REQUIRE(draft.ok());
  const auto links = links_of(*draft, trial.uses());
  REQUIRE(links.size() == 2);
  CHECK(links[1].name == "broker main");
  CHECK(links[1].host == "mq");
  CHECK(links[1].port == 1883);
  set_address(*draft, trial.uses(), links[1], 999);
  CHECK(draft->text({"brokers", "main", "settings", "uri"}) == "mqtt://127.0.0.1:999");
}

const std::string kCluster = R"(
storage: { plugin: storage-sqlite, settings: { path: a.db } }
brokers:
  main:
    plugin: broker-kafka
    settings: { bootstrap_servers: ["k1:9092"], connect_to: { "K2:9092": "tunnel:7" } }
)";

TEST_CASE("Servers that tell their own addresses get a proxy for each of them") {
  Trial trial{kCluster};
  trial.storage = "storage-sqlite";
  trial.broker = "broker-kafka";
  auto draft = trial.draft();
  REQUIRE(draft.ok());
  PluginUses uses = trial.uses();
  uses.brokers["main"].endpoints = {
      {"k1:9092", "k1:9092"}, {"K2:9092", "tunnel:7"}, {"[::1]:9093", "[::1]:9093"}};
  uses.brokers["main"].redirects = "connect_to";
  const auto links = links_of(*draft, uses);
  REQUIRE(links.size() == 3);
  for (const Link& link : links) CHECK(link.unproxied.empty());
  CHECK(links[0].name == "broker main at k1:9092");
  CHECK(links[1].host == "tunnel");
  CHECK(links[1].port == 7);
  CHECK(links[2].host == "::1");
  CHECK(links[2].port == 9093);
  for (std::size_t i = 0; i < links.size(); ++i) {
    set_address(*draft, uses, links[i], static_cast<std::uint16_t>(990 + i));
  }
  const auto written = ConfigDraft::from_text(draft->yaml(), "h1.yaml", "/", Variables({}));
  REQUIRE(written.draft);
  const ConfigDraft::Path setting{"brokers", "main", "settings", "connect_to"};
  const auto leads_to = [&](const char* address) {
    ConfigDraft::Path path = setting;
    path.emplace_back(address);
    return written.draft->text(path).value_or("");
  };
  CHECK(leads_to("k1:9092") == "127.0.0.1:990");
  CHECK(leads_to("K2:9092") == "127.0.0.1:991");
  CHECK(leads_to("[::1]:9093") == "127.0.0.1:992");
}

TEST_CASE("Servers whose plugin does not tell their addresses are left alone, in words") {
  Trial trial{kCluster};
  trial.storage = "storage-sqlite";
  trial.broker = "broker-kafka";
  const auto draft = trial.draft();
  REQUIRE(draft.ok());
  const auto links = links_of(*draft, trial.uses());
  REQUIRE(links.size() == 1);
  CHECK(links[0].name == "broker main");
  CHECK(links[0].unproxied == "its servers tell clients their own addresses");
}

}  // namespace
}  // namespace vouch::prove::test
