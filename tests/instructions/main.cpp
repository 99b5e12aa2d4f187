// usage: instructions SCENARIO
// Runs it and prints how many events were counted, as one line of JSON. Of use under
// valgrind --tool=callgrind --instr-atstart=no --separate-threads=yes, as measure.py calls it.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <string_view>

#include "scenarios.h"

int main(int count, char** words) {
  using namespace vouch::instructions;
  const std::string_view wanted = count == 2 ? words[1] : "";
  const auto found = std::ranges::find(scenarios(), wanted, &Scenario::name);
  if (found == scenarios().end()) {
    std::fputs("usage: instructions SCENARIO; there are:", stderr);
    for (const Scenario& scenario : scenarios()) std::fprintf(stderr, " %s", scenario.name.data());
    std::fputc('\n', stderr);
    return 64;
  }
  try {
    const auto events = static_cast<unsigned long long>(found->run());
    std::printf("{\"events\":%llu}\n", events);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", words[1], error.what());
    return 1;
  }
}
