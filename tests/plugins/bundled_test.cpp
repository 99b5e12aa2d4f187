// Plugins that bring a library along, each another version of it, with the same names in both.
#include <catch2/catch.hpp>

#include "directory.h"
#include "vouch/testkit/test_services.h"

namespace vouch::plugins {
namespace {

constexpr SettingSpec kTable[] = {
    {"color", SettingType::text, "red", 1, 0, nullptr, kSettingNone, "A color.", "blue"}};

const std::string kBundled = VOUCH_TEST_BUNDLED;

struct Trial {
  testkit::TestServices services;
  values::SettingValues settings = testkit::make_settings(kTable, {});
  PluginCatalog catalog{only(kBundled)};

  std::unique_ptr<GuardedBroker> broker(const std::string& name) {
    const auto loaded = catalog.load(PluginKind::broker, name);
    INFO(loaded.status().message());
    REQUIRE(loaded.ok());
    auto broker = catalog.create_broker(*loaded, services, settings);
    REQUIRE(broker.ok());
    return std::move(broker).value();
  }
};

void check_that_each_has_its_own(const std::string& how) {
  Trial trial;
  const auto first = trial.broker("broker-" + how + "-1");
  const auto second = trial.broker("broker-" + how + "-2");
  CHECK(first->health().detail == "one-codec(x), nothing to encode, version 1, used 2");
  CHECK(second->health().detail == "two-codec(x), nothing to encode, version 2, used 2");
  CHECK(first->health().detail == "one-codec(x), nothing to encode, version 1, used 4");
}

}  // namespace

TEST_CASE("two versions of a library that is linked statically live side by side") {
  check_that_each_has_its_own("static");
}

TEST_CASE("two versions of a shared library that have names of their own live side by side") {
  check_that_each_has_its_own("shared");
}

#if !defined(__clang__)
TEST_CASE("inline variables of shared libraries by g++ are one for both, as the guide says") {
  Trial trial;
  const auto first = trial.broker("broker-unique-1");
  const auto second = trial.broker("broker-unique-2");
  CHECK(first->health().detail == "one-codec(x), nothing to encode, version 1, used 2");
  CHECK(second->health().detail == "two-codec(x), nothing to encode, version 1, used 2");
}
#endif

TEST_CASE("a second shared library of a name that is loaded is refused, not mistaken for it") {
  Trial trial;
  const auto first = trial.broker("broker-same-1");
  const auto refused = trial.catalog.load(PluginKind::broker, "broker-same-2");
  CHECK(refused.status().code() == StatusCode::failed_precondition);
  CHECK(refused.status().message() ==
        kBundled + "/broker-same-2.so needs libcodec_same.so.7 of " + kBundled +
            "/2/libcodec_same.so.7, but another library of that name is loaded already (" +
            kBundled +
            "/1/libcodec_same.so.7), and a process holds only one of a name; give one of them "
            "another soname, link it statically into its plugin, or build both plugins with the "
            "same one");
  CHECK(first->health().ok);
}

TEST_CASE("a copy of a shared library that is loaded is as good as the loaded one") {
  namespace fs = std::filesystem;
  fs::create_directories(kBundled + "/copied");
  fs::copy_file(kBundled + "/1/libcodec_same.so.7", kBundled + "/copied/libcodec_same.so.7",
                fs::copy_options::overwrite_existing);
  Trial trial;
  const auto first = trial.broker("broker-same-1");
  const auto second = trial.broker("broker-same-copied");
  CHECK(second->health().ok);
}

}  // namespace vouch::plugins
