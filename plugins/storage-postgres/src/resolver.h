// What became of a transaction: asked of the database in three separate statements, on the primary.
// A status alone lies (after a crash a transaction id is used again), and so does a row and a
// status read in one statement (the row's snapshot is older than the status). Plain functions on a
// session of the caller's.
#pragma once

#include <span>
#include <vector>

#include "session.h"
#include "vouch/lane.h"

namespace vouch::postgres {

/// One verdict for each token, in order. Throws SqlError.
std::vector<Verdict> resolve_tokens(Session& session, std::span<const Token> tokens);

/// Ends the session that owns the transaction, if it is still that session. Throws SqlError.
void end_owner(Session& session, const Token& token);

}  // namespace vouch::postgres
