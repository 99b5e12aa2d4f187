// Loading, listing and creating plugins that are built as real libraries.
#include <algorithm>
#include <catch2/catch.hpp>

#include "directory.h"
#include "vouch/testkit/test_services.h"

namespace vouch::plugins {
namespace {

constexpr SettingSpec kTable[] = {
    {"color", SettingType::text, "red", 1, 0, nullptr, kSettingNone, "A color.", "blue"}};

class Count final : public PublishSink {
 public:
  void published(std::size_t, PublishOutcome outcome, const Status&) override {
    acked += outcome == PublishOutcome::acked ? 1 : 0;
  }
  int acked = 0;
};

}  // namespace

TEST_CASE("a plugin is loaded by name, by path, and again for free") {
  PluginCatalog catalog(only(VOUCH_TEST_FIXTURES));
  const std::string path = std::string(VOUCH_TEST_FIXTURES) + "/broker-good.so";
  const auto by_name = catalog.load(PluginKind::broker, "broker-good");
  REQUIRE(by_name.ok());
  CHECK(by_name->path == path);
  CHECK(std::string(by_name->descriptor->name) == "broker-good");
  CHECK(std::string(by_name->descriptor->version) == "1.2.3");
  const auto by_path = catalog.load(PluginKind::broker, path);
  REQUIRE(by_path.ok());
  CHECK(by_path->descriptor == by_name->descriptor);
  CHECK(catalog.load(PluginKind::broker, "broker-good")->descriptor == by_name->descriptor);
}

TEST_CASE("a loaded broker is created behind its guard and works") {
  testkit::TestServices services;
  const auto settings = testkit::make_settings(kTable, {});
  PluginCatalog catalog(only(VOUCH_TEST_FIXTURES));
  const auto plugin = catalog.load(PluginKind::broker, "broker-good");
  REQUIRE(plugin.ok());
  const auto broker = catalog.create_broker(*plugin, services, settings, "main");
  REQUIRE(broker.ok());
  CHECK((*broker)->open().ok());
  CHECK((*broker)->health().detail == "good");
  Count count;
  const Message messages[] = {{"t", std::nullopt, "k", {}, "1"}, {"t", std::nullopt, "k", {}, "2"}};
  REQUIRE((*broker)->publish(messages, std::chrono::seconds(1), count).ok());
  CHECK(count.acked == 2);
  CHECK(services.metric("vouch_plugin_contract_violations_total") == 0);
  CHECK(services.metric("vouch_broker_operation_duration_seconds") == 4);
}

TEST_CASE("what a plugin throws across its library's boundary is caught") {
  testkit::TestServices services;
  const auto settings = testkit::make_settings(kTable, {});
  PluginCatalog catalog(only(VOUCH_TEST_FIXTURES));
  const auto plugin = catalog.load(PluginKind::storage, "storage-throwing");
  REQUIRE(plugin.ok());
  auto storage = catalog.create_storage(*plugin, services, settings);
  REQUIRE(storage.ok());
  CHECK((*storage)->open().to_string() ==
        "internal: plugin storage-throwing misbehaves: open threw: thrown on purpose");
}

TEST_CASE("a plugin whose create fails is reported with what it said") {
  testkit::TestServices services;
  const auto settings = testkit::make_settings(kTable, {});
  PluginCatalog catalog(only(VOUCH_TEST_FIXTURES));
  const auto throws = catalog.load(PluginKind::broker, "broker-create-throws");
  const auto null = catalog.load(PluginKind::broker, "broker-create-null");
  REQUIRE(throws.ok());
  REQUIRE(null.ok());
  const auto thrown = catalog.create_broker(*throws, services, settings);
  CHECK(thrown.status().to_string() == "failed_precondition: plugin broker-create-throws (" +
                                           throws->path +
                                           ") can't be created: there is no such color");
  const auto nothing = catalog.create_broker(*null, services, settings);
  CHECK(nothing.status().to_string() ==
        "failed_precondition: plugin broker-create-null (" + null->path +
            ") can't be created: its create gave nothing; report it to its vendor");
  const auto wrong = catalog.create_storage(*throws, services, settings);
  CHECK(wrong.status().to_string() ==
        "failed_precondition: " + throws->path +
            " is a broker plugin, where a storage plugin is asked for; name a storage plugin here, "
            "for example one that 'vouch plugins' lists");
}

TEST_CASE("a plugin whose initialiser throws is refused in words, and the host lives on") {
  PluginCatalog catalog(only(VOUCH_TEST_FIXTURES));
  const auto loaded = catalog.load(PluginKind::broker, "broker-throwing-initialiser");
  REQUIRE_FALSE(loaded.ok());
  CHECK(loaded.status().code() == StatusCode::failed_precondition);
  CHECK(loaded.status().message() ==
        std::string(VOUCH_TEST_FIXTURES) +
            "/broker-throwing-initialiser.so ends the process that loads it (signal 6, Aborted): "
            "an initialiser of it, or of a library that it needs, throws or crashes; report it to "
            "the plugin's vendor");
}

TEST_CASE("list names every library, and survives those that crash when they are loaded") {
  PluginCatalog catalog(only(VOUCH_TEST_FIXTURES));
  const auto listed = catalog.list();
  CHECK(listed.size() == 19);
  CHECK(std::is_sorted(listed.begin(), listed.end(),
                       [](const auto& a, const auto& b) { return a.path < b.path; }));
  std::vector<std::string> usable;
  for (const PluginCatalog::Listed& one : listed) {
    INFO(one.name << ": " << one.problem);
    CHECK((one.descriptor == nullptr) != one.problem.empty());
    if (one.descriptor != nullptr) usable.push_back(one.name);
    if (one.name == "broker-throwing-initialiser") {
      CHECK(one.problem == one.path +
                               " ends the process that loads it (signal 6, Aborted): an "
                               "initialiser of it, or of a library that it needs, throws or "
                               "crashes; report it to the plugin's vendor");
    }
    if (one.name == "foreign") {
      CHECK(one.problem == one.path +
                               " is a shared library but not a plugin: it has no symbol "
                               "vouch_plugin_descriptor; if it should be one, use VOUCH_PLUGIN in "
                               "one of its source files and link it with vouch_add_plugin()");
    }
    if (one.name == "broker-missing-dependency") {
      CHECK(one.problem == one.path +
                               " can't be loaded: it needs libvouch_fixture_dependency.so, which "
                               "is not installed here; install it (ldd " +
                               one.path + " shows all it needs)");
    }
  }
  CHECK(usable == std::vector<std::string>{"broker-create-null", "broker-create-throws",
                                           "broker-good", "storage-throwing"});
}

TEST_CASE("list says which of two plugins of one name counts") {
  Directory first;
  Directory second;
  const std::string used = first.copy("broker-good");
  const std::string hidden = second.copy("broker-good");
  SearchPath path;
  path.command_line = {first.path()};
  path.built_in = {second.path(), first.path()};
  PluginCatalog catalog(path);
  const auto listed = catalog.list();
  REQUIRE(listed.size() == 2);
  CHECK(listed[0].path == used);
  CHECK(listed[0].descriptor != nullptr);
  CHECK(listed[1].descriptor == nullptr);
  CHECK(listed[1].problem == hidden + " is not used: " + used + " comes first");
}

TEST_CASE("a plugin that everybody may write is loaded with a warning") {
  namespace fs = std::filesystem;
  Directory directory;
  const std::string path = directory.copy("broker-good");
  PluginCatalog careful(only(directory.path()));
  REQUIRE(careful.load(PluginKind::broker, path).ok());
  CHECK(careful.load(PluginKind::broker, path)->warnings.empty());

  fs::permissions(path, fs::perms::others_write, fs::perm_options::add);
  fs::permissions(directory.path(), fs::perms::others_write, fs::perm_options::add);
  PluginCatalog catalog(only(directory.path()));
  const auto loaded = catalog.load(PluginKind::broker, "broker-good");
  REQUIRE(loaded.ok());
  const std::string advice =
      " can be written by every user of this machine, and the host runs what is in it; take that "
      "right away (chmod o-w)";
  CHECK(loaded->warnings == std::vector<std::string>{path + advice, directory.path() + advice});
}

}  // namespace vouch::plugins
