// Whatever bytes come in, the loader answers; it never throws, hangs or crashes. The inputs are
// made from good files by a generator with a fixed seed, so that a failure can be repeated.
#include <catch2/catch.hpp>
#include <random>

#include "config_fixture.h"

namespace vouch::config::test {
namespace {

constexpr const char* kSeedText = R"(store: { name: shop, partitions: 16 }
storage: {plugin: storage-fake, settings: {path: "a/${X:-b}", hosts: [a, b], extra: {x: "1"}}}
brokers:
  main: { plugin: broker-fake }
outbound:
  - { broker: main, topic: "shop.{category}", categories: [order] }
  - topic: >
      folded
    types:
      - 'single '' quoted'
append: { lanes: 8, queue: &anchor 1000, publish_timeout: 1s }
log: { level: |
  info
}
)";

class Mutator {
 public:
  explicit Mutator(std::uint32_t seed) : random_(seed) {}

  std::string mutate(std::string text) {
    static const std::vector<std::string> kPieces = {"{",
                                                     "}",
                                                     "[",
                                                     "]",
                                                     ":",
                                                     "- ",
                                                     "? ",
                                                     "&a ",
                                                     "*a",
                                                     "!!x ",
                                                     "|",
                                                     ">",
                                                     "%",
                                                     "\t",
                                                     "\r",
                                                     "\n",
                                                     "#",
                                                     "'",
                                                     "\"",
                                                     "\\",
                                                     "${",
                                                     "$$",
                                                     "---\n",
                                                     "...\n",
                                                     "~",
                                                     "<<",
                                                     "\xff",
                                                     "\xef\xbb\xbf",
                                                     "\xfe\xff",
                                                     std::string(1, '\0'),
                                                     "${file:/dev/zero}"};
    const std::size_t edits = 1 + below(6);
    for (std::size_t i = 0; i < edits; ++i) {
      const std::size_t at = below(text.size() + 1);
      switch (below(4)) {
        case 0:
          text.insert(at, kPieces[below(kPieces.size())]);
          break;
        case 1:
          text.erase(at, 1 + below(8));
          break;
        case 2:
          text.insert(at, text.substr(below(text.size() + 1), below(40)));
          break;
        default:
          text.insert(at, 1, static_cast<char>(below(256)));
          break;
      }
    }
    return text;
  }

 private:
  std::size_t below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
  }
  std::mt19937 random_;
};

void check_answers(const std::string& text) {
  const LoadedConfig loaded = load(text);
  bool has_error = false;
  for (const ConfigProblem& problem : loaded.problems) has_error = has_error || !problem.warning;
  if (loaded.config.has_value() == has_error) {
    CAPTURE(text);
    FAIL("a config comes exactly when there is no error");
  }
}

TEST_CASE("a config file of mangled bytes is answered, with a config or an error") {
  Mutator mutator(7070);
  for (int i = 0; i < 3000; ++i) REQUIRE_NOTHROW(check_answers(mutator.mutate(kSeedText)));
}

TEST_CASE("hostile nesting and repetition are answered") {
  const auto repeated = [](const std::string& piece, std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += piece;
    return out;
  };
  for (const std::string piece :
       {"[",  "{",     "- ", "? ", "a: ", "&a ", "!",  "'",  "\"",   "\\",
        "\n", "a:\n ", "${", "[]", "{}",  "-\n", "\t", ": ", "%A\n", "---\n"}) {
    REQUIRE_NOTHROW(check_answers(repeated(piece, 2000)));
    REQUIRE_NOTHROW(check_answers("store: " + repeated(piece, 2000)));
  }
  std::string indented;
  for (std::size_t i = 0; i < 600; ++i) indented += std::string(i, ' ') + "a:\n";
  REQUIRE_NOTHROW(check_answers(indented));
}

}  // namespace
}  // namespace vouch::config::test
