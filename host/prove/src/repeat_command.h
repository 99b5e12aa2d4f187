// The command that repeats a trial. Pure, any thread.
#pragma once

#include <cstdio>
#include <string>

#include "prove/prove.h"

namespace vouch::prove {

/// As one word of a command line.
inline std::string for_shell(const std::string& text) {
  constexpr const char* kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./=:,+@%";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

/// `hosts`: as many as there really were.
inline std::string repeat_command(const ProveOptions& options, std::uint32_t hosts) {
  char numbers[128];
  std::snprintf(numbers, sizeof numbers, " --seed %llu --minutes %g --hosts %u --rate %g",
                static_cast<unsigned long long>(options.seed), options.lasts / 60, hosts,
                options.rate);
  std::string command = "vouch prove --config " + for_shell(options.config) + numbers;
  for (const std::string& text : options.scratch) command += " --scratch " + for_shell(text);
  for (const std::string& directory : options.plugin_directories) {
    command += " --plugin-dir " + for_shell(directory);
  }
  return command;
}

}  // namespace vouch::prove
