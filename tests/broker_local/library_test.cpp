// The built library as the loader sees it.
#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

TEST_CASE("the library defines exactly one symbol for others: the descriptor") {
  const std::string command =
      std::string(VOUCH_TEST_NM) + " -D --defined-only --format=posix '" + VOUCH_TEST_LIBRARY + "'";
  const std::unique_ptr<FILE, int (*)(FILE*)> output(::popen(command.c_str(), "r"), ::pclose);
  REQUIRE(output != nullptr);
  std::vector<std::string> names;
  std::array<char, 4096> line{};
  while (std::fgets(line.data(), static_cast<int>(line.size()), output.get()) != nullptr) {
    const std::string text(line.data());
    names.push_back(text.substr(0, text.find(' ')));
  }
  CHECK(names == std::vector<std::string>{"vouch_plugin_descriptor"});
}
