// What a run found, and how it is written: as text for people, as JUnit XML for build servers, as
// JSON for everything else. Plain values and pure functions, any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
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
  /// False: the plugin or its settings can't be used, or it does not open; the rest did not run.
  bool usable = true;
  std::vector<Result> results;
  std::chrono::milliseconds time{0};

  [[nodiscard]] std::size_t count(Ending::Kind kind) const;
};

/// A check, and the kinds of plugins that it is for.
struct ListedCheck {
  Check check;
  std::vector<PluginKind> kinds;
};

std::string list_text(std::span<const ListedCheck> checks);
std::string list_json(std::span<const ListedCheck> checks);

/// Its line in the text, while the run goes on; ends with a line feed.
std::string text_of(const Result& result);
/// The last line of the text.
std::string summary_text(const Report& report);

std::string junit_xml(const Report& report);
std::string report_json(const Report& report);

}  // namespace vouch::conformance
