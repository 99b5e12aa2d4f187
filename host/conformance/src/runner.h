// Runs the checks of one plugin, each in a process and a place of its own. One thread.
#pragma once

#include <functional>

#include "report.h"

namespace vouch::conformance {

/// `heard` is told of each result as it comes.
Report run_checks(const Options& options, const std::function<void(const Result&)>& heard);

/// The checks that the options ask for, without loading the plugin; those for every kind when the
/// options name none. Throws std::runtime_error when the file can't be looked into, or a filter
/// fits nothing.
std::vector<ListedCheck> asked_for(const Options& options);

}  // namespace vouch::conformance
