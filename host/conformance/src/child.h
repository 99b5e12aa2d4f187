// Runs a case in a process of its own, so that a plugin that crashes, hangs or ends the process
// fails its case and nothing else. One thread; the calling process must not have loaded the plugin
// and must have no other threads, since it forks.
#pragma once

#include <chrono>
#include <functional>

#include "ending.h"

namespace vouch::conformance {

/// Ends as the body does: returned (passed), ConformanceFailure, CaseSkipped, any other exception
/// (failed). `limit` is for the body and the end of the process together.
Ending run_in_child(const std::function<void()>& body, std::chrono::seconds limit);

/// The same in this process, for debuggers: a crash is one, and nothing limits the time.
Ending run_here(const std::function<void()>& body);

}  // namespace vouch::conformance
