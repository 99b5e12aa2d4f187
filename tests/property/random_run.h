// One random run, given by its seed: clients append to a few streams through hosts that fail at
// random steps and are killed at random moments; afterwards the faults stop, a last host finishes
// what is left, and the invariants are checked. The seed fixes what clients want, which faults come
// and when hosts die; the threads' interleaving is the machine's, so a failing seed is replayed
// many times.
#pragma once

#include <cstdint>

#include "server_database.h"

namespace vouch::tests {

/// Over the testkit's storage, or over `server` where there is one: then with an empty store of its
/// own in it. Throws Violation (see invariants.h), or std::runtime_error when the run can't be
/// finished.
void random_run(std::uint64_t seed, ServerDatabase* server = nullptr);

}  // namespace vouch::tests
