// What every fuzz target shares: the fuzzer's entry point, and how a finding is made known. One
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

/// Takes one input; returns 0. Whatever ends the process is a finding: a sanitizer, an exception
/// that nobody caught, a property that does not hold.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace vouch::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  // char may look at any object's bytes.
  return size == 0
             ? std::string_view("")
             : std::string_view(static_cast<const char*>(static_cast<const void*>(data)), size);
}

/// Ends the process unless `holds`, with what does not hold and on which text.
inline void demand(bool holds, const char* property, std::string_view text = "") {
  if (holds) return;
  std::fprintf(stderr, "FOUND: does not hold: %s\n%.*s\n", property, static_cast<int>(text.size()),
               text.data());
  std::abort();
}

}  // namespace vouch::fuzz
