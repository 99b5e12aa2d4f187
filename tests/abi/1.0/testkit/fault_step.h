// What every fake does at a step that knows no other faults than to fail, to stall and to throw.
#pragma once

#include "vouch/status.h"
#include "vouch/testkit/faults.h"

namespace vouch::testkit {

/// Breaks the contract on purpose, for Fault::throw_exception.
[[noreturn]] void throw_on_purpose(Step step);

/// What a step that was told to fail reports.
Status told_to_fail(Step step);

/// Notes the step and waits if it is stalled. Ok unless it was told to fail.
Status pass_step(Faults& faults, Step step);

}  // namespace vouch::testkit
