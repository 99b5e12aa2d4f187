// The main function that the ceiling programs have in common.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

namespace vouch::bench {

/// Parses the command line, calls `measure` and turns what it throws into a message of `program`
/// and the exit code 1.
template <typename Measure>
int ceiling_main(int argc, char** argv, CLI::App& app, const char* program,
                 const Measure& measure) {
  CLI11_PARSE(app, argc, argv);
  try {
    measure();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", program, error.what());
    return 1;
  }
  return 0;
}

}  // namespace vouch::bench
