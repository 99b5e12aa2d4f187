// Check: one case that vouch-conformance runs, of whichever suite: what it promises, where the
// contract says so, and how it is run. Plain values.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "trial.h"
#include "vouch/plugin.h"

namespace vouch::conformance {

struct Check {
  std::string id;        ///< stable, "storage.append.conflict_spares_neighbours"
  std::string sentence;  ///< the promise that it is about
  std::function<void(const Options&, const CasePlace&)> run;
  /// Whether it opens the plugin, and says nothing about its own promise where that can't be.
  bool needs_open = true;

  /// binary, settings, lifecycle, semantics or faults.
  [[nodiscard]] std::string_view level() const;
  /// The section of docs/plugin-authoring.md that makes the promise,
  /// "docs/plugin-authoring.md#lanes".
  [[nodiscard]] std::string contract() const;
};

/// Whether the file is a plugin for this host, and whether it takes the settings. When one of them
/// fails, there is nothing to run the others on.
std::vector<Check> entry_checks();
/// Everything else for plugins of a kind, in a sensible order: first what needs no open plugin,
/// then the check `kOpens`, which decides whether the rest has anything to run on.
std::vector<Check> checks_of(PluginKind kind);
inline constexpr std::string_view kOpens = "lifecycle.opens";

/// Whether `id` fits one of the patterns, in which '*' stands for any text and '?' for any letter,
/// or there are none.
bool fits(const std::string& id, const std::vector<std::string>& patterns);

// By subject.
std::vector<Check> binary_checks();
std::vector<Check> settings_checks();
std::vector<Check> lifecycle_checks(PluginKind kind);

}  // namespace vouch::conformance
