// Where plugins are looked for, and what is said when they are not there.
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "directory.h"

namespace vouch::plugins {

TEST_CASE("a plugin that is not found is reported with every path that was tried and why") {
  Directory present;
  const std::string text = present.write("a-file", "");
  SearchPath path;
  path.command_line = {"/nonexistent/plugins"};
  path.config = {present.path() + "/"};
  path.environment = {text};
  path.built_in = {present.path() + "/../" + present.path().substr(present.path().rfind('/') + 1)};
  PluginCatalog catalog(path);
  const Status status = catalog.load(PluginKind::broker, "broker-x").status();
  CHECK(status.code() == StatusCode::not_found);
  CHECK(status.message() ==
        "there is no plugin 'broker-x'; looked for:"
        "\n  /nonexistent/plugins/broker-x.so (--plugin-dir): directory does not exist"
        "\n  " +
            present.path() +
            "/broker-x.so (plugins.search_path): no such file"
            "\n  " +
            text +
            "/broker-x.so (VOUCH_PLUGIN_PATH): not a directory"
            "\n  " +
            present.path() + "/broker-x.so (built in): no such file");
}

TEST_CASE("with no directory to look in, that is said") {
  PluginCatalog catalog(SearchPath{});
  CHECK(catalog.load(PluginKind::broker, "broker-x").status().message() ==
        "there is no plugin 'broker-x'; looked for: no directory at all; give one with "
        "--plugin-dir");
}

TEST_CASE("a mistyped or shortened name gets the nearest one as a hint") {
  PluginCatalog catalog(only(VOUCH_TEST_FIXTURES));
  const auto message = [&](PluginKind kind, const std::string& name) {
    return catalog.load(kind, name).status().message();
  };
  CHECK_THAT(message(PluginKind::broker, "broker-godo"),
             Catch::StartsWith("there is no plugin 'broker-godo' (did you mean broker-good?); "));
  CHECK_THAT(message(PluginKind::broker, "good"),
             Catch::StartsWith("there is no plugin 'good' (did you mean broker-good?); "));
  CHECK_THAT(message(PluginKind::storage, "throwing"),
             Catch::StartsWith("there is no plugin 'throwing' (did you mean storage-throwing?); "));
  CHECK_THAT(message(PluginKind::broker, "completely-else"),
             Catch::StartsWith("there is no plugin 'completely-else'; "));
}

TEST_CASE("the command line comes before the config, that before the environment and built in") {
  Directory directories[4];
  for (int present = 3; present >= 0; --present) {
    const std::string path = directories[present].copy("broker-good");
    SearchPath search;
    search.command_line = {directories[0].path()};
    search.environment = {directories[2].path()};
    search.built_in = {directories[3].path()};
    PluginCatalog catalog(search);
    catalog.add_config_directories({directories[1].path()});
    catalog.add_config_directories({directories[1].path()});
    const auto loaded = catalog.load(PluginKind::broker, "broker-good");
    REQUIRE(loaded.ok());
    CHECK(loaded->path == path);
  }
}

TEST_CASE("the first file counts even if it is broken") {
  Directory first;
  Directory second;
  const std::string broken = first.write("broker-good.so", "");
  second.copy("broker-good");
  SearchPath search;
  search.command_line = {first.path()};
  search.config = {second.path()};
  PluginCatalog catalog(search);
  const Status status = catalog.load(PluginKind::broker, "broker-good").status();
  CHECK(status.code() == StatusCode::failed_precondition);
  CHECK_THAT(status.message(), Catch::StartsWith(broken + " is empty"));
}

TEST_CASE("a plugin is a name or an absolute path of a .so file") {
  PluginCatalog catalog(only(VOUCH_TEST_FIXTURES));
  for (const std::string bad : {"", "Broker", "broker.good", "../broker-good.so", "broker-good.so",
                                "/usr/lib/broker-good", "broker good"}) {
    INFO(bad);
    const Status status = catalog.load(PluginKind::broker, bad).status();
    CHECK(status.code() == StatusCode::not_found);
    CHECK(status.message() ==
          "'" + bad +
              "' is neither a plugin's name (small letters, digits, '-') nor an absolute path that "
              "ends in .so");
  }
  CHECK(catalog.load(PluginKind::broker, "/nonexistent/x.so").status().message() ==
        "there is no plugin /nonexistent/x.so: no such file");
}

TEST_CASE("the default search path knows the environment and the executable's place") {
  ::setenv("VOUCH_PLUGIN_PATH", "/one::/two/three:", 1);
  const SearchPath path = default_search_path();
  ::unsetenv("VOUCH_PLUGIN_PATH");
  CHECK(path.environment == std::vector<std::string>{"/one", "/two/three"});
  const auto executable = std::filesystem::read_symlink("/proc/self/exe");
  REQUIRE(path.built_in.size() >= 2);
  CHECK(path.built_in[0] ==
        (executable.parent_path().parent_path() / "lib/vouch/plugins").string());
  for (const std::string& directory : path.built_in) {
    CHECK_THAT(directory, Catch::StartsWith("/") && Catch::EndsWith("/vouch/plugins"));
    CHECK(std::count(path.built_in.begin(), path.built_in.end(), directory) == 1);
  }
  CHECK(path.command_line.empty());
  CHECK(default_search_path().environment.empty());
}

}  // namespace vouch::plugins
