// What the built library shows to the dynamic linker.
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <memory>
#include <string>

TEST_CASE("The plugin exports its descriptor and nothing else") {
  const std::string command =
      std::string("nm -D --defined-only ") + VOUCH_TEST_PLUGIN_DIRECTORY + "/storage-sqlite.so";
  struct Close {
    void operator()(std::FILE* pipe) const { ::pclose(pipe); }
  };
  const std::unique_ptr<std::FILE, Close> pipe(::popen(command.c_str(), "r"));
  REQUIRE(pipe != nullptr);
  std::string symbols;
  std::array<char, 256> line{};
  while (std::fgets(line.data(), static_cast<int>(line.size()), pipe.get()) != nullptr) {
    symbols += line.data();
  }
  INFO(symbols);
  CHECK(std::count(symbols.begin(), symbols.end(), '\n') == 1);
  CHECK(symbols.find(" vouch_plugin_descriptor") != std::string::npos);
}
