// What a run found, and how it is written: as text for people, as JUnit XML for build servers, as
// JSON for everything else. Plain values and pure functions, any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "check.h"
#include "ending.h"

namespace vouch::conformance {

struct Result {
  Check check;
  Ending ending;
  std::uint32_t run = 1;   ///< of `runs`: the one that failed, or the last
  std::uint32_t runs = 1;  ///< with --repeat
};

struct Report {
  std::string plugin;  ///< path
  std::string kind;    ///< "storage", "broker"; empty when that is not known
  bool usable = true;  ///< false: the plugin or its settings can't be used, the rest did not run
  std::vector<Result> results;
  std::chrono::milliseconds time{0};

  [[nodiscard]] std::size_t count(Ending::Kind kind) const;
};

/// Its line in the text, while the run goes on; ends with a line feed.
std::string text_of(const Result& result);
/// The last line of the text.
std::string summary_text(const Report& report);

std::string junit_xml(const Report& report);
std::string report_json(const Report& report);

}  // namespace vouch::conformance
