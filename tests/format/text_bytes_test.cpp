// Runs of bytes, found eight at a time, against the same looked for one by one.
#include "text_bytes.h"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "random_seed.h"

namespace vouch::format {
namespace {

bool ends_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte >= 0x80 || c == '"' || c == '\\';
}

bool is_quote_or_backslash(char c) {
  return c == '"' || c == '\\';
}

template <typename Ends>
std::size_t first_of(std::string_view text, std::size_t at, const Ends& ends) {
  while (at < text.size() && !ends(text[at])) ++at;
  return at;
}

void check_everywhere(const std::string& text) {
  for (std::size_t at = 0; at <= text.size(); ++at) {
    CHECK(plain_end(text, at) == first_of(text, at, ends_plain));
    CHECK(quote_or_backslash(text, at) == first_of(text, at, is_quote_or_backslash));
  }
}

TEST_CASE("the end of a run is found wherever it is, beside bytes that are one off") {
  // What differs in the lowest bit from what is looked for is where a borrow would show.
  for (const char end : {'"', '\\', '\x1f', '\0', '\x80', '\xff'}) {
    for (const char beside : {'a', '#', '!', ']', '[', ' ', '\x7f'}) {
      for (std::size_t place = 0; place < 20; ++place) {
        std::string text(20, beside);
        text[place] = end;
        check_everywhere(text);
      }
    }
  }
}

TEST_CASE("the end of a run is found in random bytes") {
  VOUCH_RANDOM(random);
  for (int round = 0; round < 300; ++round) {
    std::string text = random_bytes(random, below(random, 40));
    // Mostly text, so that runs are longer than a word.
    for (char& byte : text) {
      if (below(random, 12) != 0) byte = static_cast<char>(' ' + below(random, 95));
    }
    check_everywhere(text);
  }
}

}  // namespace
}  // namespace vouch::format
