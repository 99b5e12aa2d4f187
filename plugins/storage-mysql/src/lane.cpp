#include "lane.h"

#include <algorithm>

namespace vouch::mysql {

namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kLastOfIncarnation = 0xffffffffU;
/// A place is the incarnation and a count below it, so that none is used twice, whatever a crash
/// took back.
constexpr unsigned kPlaceBits = 36;
constexpr std::uint64_t kMostIncarnations = std::uint64_t{1} << (64 - kPlaceBits);
/// How often a group is judged again because a key refused a row.
constexpr int kMostJudgements = 5;
/// After a refusal the next groups are looked up at once: retries and races come in swarms.
constexpr std::uint32_t kExactGroups = 50;
constexpr std::size_t kMostTextBytes = 1'024;  // of the columns type and content_type
constexpr std::size_t kMostKeyBytes = 255;
constexpr std::size_t kMostDigestBytes = 64;

}  // namespace

void MysqlLane::open(std::chrono::milliseconds wait) {
  auto session = std::make_unique<Session>(backend_.options, SessionRole::lane);
  take_lock(*session, wait);
  adopt(*session);
  // Heads that the caller knows are of the session before: the server may have lost commits since.
  exact_groups_ = kExactGroups;
  last_session_ = session->id();
  session_ = std::move(session);
}

void MysqlLane::take_lock(Session& session, std::chrono::milliseconds wait) {
  const std::string name = backend_.locks.lane(number_);
  const auto deadline = std::chrono::steady_clock::now() + wait;
  for (;;) {
    // In short steps, so that the session's own time-outs stay out of it.
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    const double step = std::clamp(static_cast<double>(left.count()) / 1'000.0, 0.0, 1.0);
    const auto got = session.table(std::string("SELECT GET_LOCK('")
                                       .append(name)
                                       .append("', ")
                                       .append(std::to_string(step))
                                       .append("), COALESCE(IS_USED_LOCK('")
                                       .append(name)
                                       .append("'), 0)"));
    if (got.at(0).at(0) == "1") return;
    if (last_session_ != 0 && got.at(0).at(1) == std::to_string(last_session_)) {
      // The lane's own session, cut off on this side only.
      try {
        session.execute("KILL CONNECTION " + got.at(0).at(1));
      } catch (const SqlError& error) {
        if (breaks_session(error)) throw;  // else it ended meanwhile
      }
    }
    if (left <= 0ms || backend_.services.stopping()) {
      throw StatusError({StatusCode::held, "lane " + std::to_string(number_.value) + " of " +
                                               backend_.options.place() + " belongs to session " +
                                               got.at(0).at(1) +
                                               " of the server, of another host or process"});
    }
  }
}

void MysqlLane::adopt(Session& session) {
  session
      .prepared(
          "INSERT INTO vouch_lanes (lane, incarnation, session) VALUES (?, 1, ?) "
          "ON DUPLICATE KEY UPDATE incarnation = incarnation + 1, "
          "session = VALUES(session)")
      .execute({number_.value, session.id()});
  std::uint64_t incarnation = 0;
  {
    Rows rows =
        session.prepared("SELECT incarnation FROM vouch_lanes WHERE lane = ?").run({number_.value});
    while (rows.next()) incarnation = rows.number(0);
  }
  session.execute("COMMIT");
  if (incarnation == 0 || incarnation >= kMostIncarnations) {
    throw StatusError({StatusCode::corrupt,
                       "lane " + std::to_string(number_.value) + " of " + backend_.options.place() +
                           " has the impossible incarnation " + std::to_string(incarnation)});
  }
  batch_ = {incarnation << 32U};
  next_place_ = (incarnation << kPlaceBits) + 1;
  backend_.given_out.issued(number_, batch_);
}

Status MysqlLane::check(std::span<const Append> appends) const {
  if (Status status = staging::check_appends(appends, backend_.partitions); !status.ok()) {
    return status;
  }
  const std::uint64_t most = backend_.max_packet - backend_.max_packet / 8;
  const auto too_large = [&](const std::string& what) {
    return Status(StatusCode::too_large, what);
  };
  for (const Append& append : appends) {
    if (append.idempotency && (append.idempotency->key.size() > kMostKeyBytes ||
                               append.idempotency->scope.size() > kMostKeyBytes ||
                               append.idempotency->digest.size() > kMostDigestBytes)) {
      return too_large("an idempotency key has more than 255 bytes, or its digest more than 64");
    }
    for (const Write& write : append.writes) {
      for (const NewEvent& event : write.events) {
        if (event.type.size() > kMostTextBytes || event.content_type.size() > kMostTextBytes) {
          return too_large("an event's type or content type has more than 1024 bytes");
        }
        if (bytes_of(event) > most) {
          return too_large("an event of " + std::to_string(bytes_of(event)) +
                           " bytes; the server takes about " + std::to_string(most) +
                           " in one statement (max_allowed_packet)");
        }
      }
    }
  }
  return {};
}

Result<StagedGroup> MysqlLane::stage(std::span<const Append> appends) {
  if (open_) return Status(StatusCode::failed_precondition, "the lane has an open transaction");
  if (Status status = check(appends); !status.ok()) return status;
  return backend_.run("staging", [&]() -> Result<StagedGroup> {
    const bool had_session = session_ != nullptr;
    try {
      return stage_on_session(appends);
    } catch (const SqlError& error) {
      // The server may have ended the session while it was idle. Nothing of the transaction can
      // have been committed, so it is safe to begin again on a new one.
      if (!had_session || session_ != nullptr || !breaks_session(error)) throw;
    }
    return stage_on_session(appends);
  });
}

StagedGroup MysqlLane::stage_on_session(std::span<const Append> appends) {
  if (session_ == nullptr) {
    try {
      open(backend_.options.lock_timeout);
    } catch (const StatusError& error) {
      if (error.status().code() != StatusCode::held) throw;
      throw StatusError({StatusCode::unavailable, error.status().message()});
    }
  }
  for (int judgement = 1;; ++judgement) {
    const Judging judging = judgement > 1 || exact_groups_ > 0 ? Judging::exact : Judging::quick;
    try {
      StagedGroup group = stage_once(appends, judging);
      if (exact_groups_ > 0) --exact_groups_;
      open_ = true;
      return group;
    } catch (const SqlError& error) {
      end_transaction(*session_);
      if (!is_duplicate(error)) throw;
      exact_groups_ = kExactGroups;
      if (judgement == kMostJudgements) {
        throw StatusError({StatusCode::contended,
                           "other sessions keep taking the versions that this group would have; "
                           "nothing was written"});
      }
    } catch (...) {
      end_transaction(*session_);
      throw;
    }
    if (session_ == nullptr) {
      throw StatusError({StatusCode::unavailable, "the session with " + backend_.options.place() +
                                                      " was lost while a group was staged"});
    }
  }
}

StagedGroup MysqlLane::stage_once(std::span<const Append> appends, Judging judging) {
  if ((batch_.value & kLastOfIncarnation) == kLastOfIncarnation) adopt(*session_);
  batch_.value += 1;
  backend_.given_out.issued(number_, batch_);
  Stager stager(*session_, Token{number_, batch_, {}}, next_place_, backend_.services.clock().now(),
                backend_.max_packet);
  StagedGroup group = stager.run(appends, judging);
  next_place_ = stager.next_place();
  return group;
}

CommitResult MysqlLane::commit() {
  if (!open_) {
    return {CommitOutcome::aborted,
            Status(StatusCode::failed_precondition, "no transaction is open")};
  }
  open_ = false;
  const Status status = backend_.run("committing", [&]() -> Status {
    session_->execute("COMMIT");
    return {};
  });
  if (status.ok()) return {CommitOutcome::committed, {}};
  // Whatever the answer was, or whether there was one: the ledger's row tells what became of it.
  session_.reset();
  return {CommitOutcome::unknown, status};
}

void MysqlLane::rollback() {
  if (!open_) return;
  open_ = false;
  end_transaction(*session_);
}

/// Without a trace: a session that can't roll back is closed, which has the same effect.
void MysqlLane::end_transaction(Session& session) {
  try {
    session.execute("ROLLBACK");
  } catch (const SqlError&) {
    session_.reset();
  }
}

}  // namespace vouch::mysql
