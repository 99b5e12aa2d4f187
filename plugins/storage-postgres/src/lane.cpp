#include "lane.h"

#include <algorithm>
#include <thread>

#include "vouch/staging/stored_result.h"

namespace vouch::postgres {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::uint64_t kLastOfIncarnation = 0xffffffffU;
/// bytea and a row hold a gigabyte; what a statement holds in all is less than that.
constexpr std::uint64_t kLargestEvent = 250'000'000;
/// Groups after one that met another's rows: where one conflict is, more follow.
constexpr std::uint32_t kCarefulGroups = 32;
/// https://www.postgresql.org/docs/current/errcodes-appendix.html
constexpr std::string_view kUniqueViolation = "23505";

constexpr Sql kBegin{"begin", "BEGIN"};
constexpr Sql kCommit{"commit", "COMMIT"};
constexpr Sql kRollback{"rollback", "ROLLBACK"};

constexpr Sql kLock{"lane_lock", "SELECT pg_try_advisory_lock($1, $2)"};

constexpr Sql kRaise{"raise_incarnation",
                     "INSERT INTO lanes (lane, incarnation) VALUES ($1, 1) ON CONFLICT (lane) "
                     "DO UPDATE SET incarnation = lanes.incarnation + 1 RETURNING incarnation"};

constexpr Sql kLastPlace{"last_place",
                         "SELECT coalesce((SELECT place FROM events WHERE lane = $1 "
                         "ORDER BY place DESC LIMIT 1), 0)"};

// The ledger numbers are drawn here, in the transaction and before its events are visible; the
// versions come from transactions that were committed before.
#define VOUCH_INSERT_GROUP                                                                       \
  "WITH d AS (INSERT INTO deliveries (partition, lane, batch, native, first_place, last_place, " \
  "events, written) "                                                                            \
  "SELECT p, $1, $2, pg_current_xact_id()::text || $3, f, l, (l - f + 1)::integer, $4 "          \
  "FROM unnest($5, $6, $7) AS t(p, f, l) ORDER BY p RETURNING number, partition), "              \
  "n AS (SELECT array_agg(number ORDER BY partition) AS numbers FROM d), "                       \
  "e AS (INSERT INTO events (stream, version, id, type, time, content_type, data, metadata, "    \
  "lane, place, delivery) "                                                                      \
  "SELECT e.stream, e.version, e.id, e.type, e.time, e.content_type, e.data, e.metadata, $1, "   \
  "e.place, (SELECT numbers FROM n)[e.part] "                                                    \
  "FROM unnest($8, $9, $10, $11, $12, $13, $14, $15, $16, $17) AS e(part, stream, version, "     \
  "id, type, time, content_type, data, metadata, place) "

constexpr Sql kInsert{"insert_group", VOUCH_INSERT_GROUP ") SELECT partition, number FROM d"};

constexpr Sql kInsertCarefully{"insert_group_carefully", VOUCH_INSERT_GROUP
                               "ON CONFLICT DO NOTHING RETURNING place, delivery) "
                               "SELECT place, delivery FROM e"};

constexpr Sql kTransaction{"transaction_id", "SELECT pg_current_xact_id()::text"};

constexpr Sql kRemove{"remove_events", "DELETE FROM events WHERE lane = $1 AND place = ANY ($2)"};

constexpr Sql kShrink{"shrink_deliveries",
                      "UPDATE deliveries d SET events = u.n, first_place = u.f, last_place = u.l "
                      "FROM unnest($3, $4, $5, $6) AS u(p, n, f, l) "
                      "WHERE d.lane = $1 AND d.batch = $2 AND d.partition = u.p"};

constexpr Sql kDropEmpty{"drop_deliveries",
                         "DELETE FROM deliveries WHERE lane = $1 AND batch = $2 "
                         "AND partition <> ALL ($3)"};

constexpr Sql kKeepKeys{"keep_keys",
                        "INSERT INTO idempotency (scope, key, digest, result, written) "
                        "SELECT k.*, $5 FROM unnest($1, $2, $3, $4) AS k(s, k, d, r) "
                        "ORDER BY 1, 2 ON CONFLICT DO NOTHING RETURNING 1"};

// A row in the place that another session's next event of the stream would take: until the end of
// this transaction whoever wants it waits. It is removed at once.
constexpr Sql kGuard{"guard_streams",
                     "INSERT INTO events (stream, version, id, type, time, content_type, data, "
                     "metadata, lane, place, delivery) "
                     "SELECT g.stream, g.version, g.id, '', 0, '', '', '', $1, g.place, 0 "
                     "FROM unnest($2, $3, $4, $5) AS g(stream, version, id, place) "
                     "ORDER BY g.stream ON CONFLICT DO NOTHING RETURNING place"};

constexpr Sql kLockTimeout{"lock_timeout", "SELECT set_config('lock_timeout', $1, true)"};
constexpr milliseconds kLeastGuardWait{10};
constexpr milliseconds kMostGuardWait{2'000};

}  // namespace

void PostgresLane::adopt(milliseconds wait) {
  auto session =
      std::make_unique<Session>(backend_.options, "lane-" + std::to_string(number_.value));
  const auto deadline = steady_clock::now() + wait;
  const auto lock = [&] {
    return Parameters().number4(backend_.lock_space).number4(lane_lock(number_.value));
  };
  while (session->run(kLock, lock()).integer(0, 0) == 0) {
    if (steady_clock::now() >= deadline) {
      throw StatusError({StatusCode::held,
                         "lane " + std::to_string(number_.value) + " is held by another session"});
    }
    std::this_thread::sleep_for(milliseconds(10));
  }
  const Rows raised = session->run(kRaise, Parameters().number4(number_.value));
  batch_ = raised.number(0, 0) << 32U;
  place_ = session->run(kLastPlace, Parameters().number4(number_.value)).integer(0, 0);
  session_ = std::move(session);
  fresh_ = true;
}

Result<StagedGroup> PostgresLane::stage(std::span<const Append> appends) {
  if (open_) return Status(StatusCode::failed_precondition, "the lane has an open transaction");
  if (Status status = staging::check_appends(appends, backend_.partitions); !status.ok()) {
    return status;
  }
  for (const Append& append : appends) {
    for (const Write& write : append.writes) {
      for (const NewEvent& event : write.events) {
        const std::uint64_t bytes = event.data.size() + event.metadata.size();
        if (bytes > kLargestEvent) {
          return Status(StatusCode::too_large,
                        "an event of " + std::to_string(bytes) +
                            " bytes; PostgreSQL is given events of up to 250,000,000");
        }
      }
    }
  }
  return backend_.run("staging", [&]() -> Result<StagedGroup> {
    const bool had_session = session_ != nullptr && session_->usable();
    try {
      return stage_on_session(appends);
    } catch (const SqlError& error) {
      // The server may have ended the session while it was idle. Nothing of the transaction can
      // have been committed, so it is safe to begin again on a new one.
      if (!had_session || !breaks_session(error)) throw;
      session_.reset();
    }
    return stage_on_session(appends);
  });
}

/// Opens a session if there is none that can be used. After an exception no transaction is open.
StagedGroup PostgresLane::stage_on_session(std::span<const Append> appends) {
  try {
    const bool used_up = (batch_ & kLastOfIncarnation) == kLastOfIncarnation;
    if (session_ == nullptr || !session_->usable() || used_up) {
      session_.reset();
      adopt(backend_.options.lock_timeout);
    }
    try {
      return stage_in(appends);
    } catch (const SqlError& error) {
      if (careful_ > 0 || error.state() != kUniqueViolation) throw;
    }
    rollback();
    careful_ = kCarefulGroups;
    // The connection may break just then. Nothing is open, so a new session may stage it again.
    if (session_ == nullptr) {
      throw SqlError(SqlError::kConnectionLost, "the connection was lost during a rollback");
    }
    return stage_in(appends);
  } catch (...) {
    rollback();
    throw;
  }
}

StagedGroup PostgresLane::stage_in(std::span<const Append> appends) {
  ++batch_;
  now_ = backend_.services.clock().now();
  numbers_.clear();
  open_ = true;  // from here on the session must be rolled back
  GroupFacts facts(*session_, appends, number_, place_, !fresh_);
  const bool begun = facts.questions();
  if (begun) facts.look_up();
  Token token{number_, {batch_}, {}};
  staging::GroupPlan plan(appends, token, facts);
  if (plan.rows().empty()) {
    if (!begun) session_->run(kBegin);
    fresh_ = false;
    return plan.finish({});
  }
  const std::vector<bool> inserted = insert(plan, begun, token);
  plan.settle_token(token);
  if (careful_ > 0) --careful_;
  if (std::ranges::find(inserted, false) != inserted.end()) repair(plan, inserted, facts);
  StagedGroup group = plan.finish(deliveries_of(plan, token));
  guard(appends, group);
  keep_keys(plan);
  fresh_ = false;
  return group;
}

std::vector<bool> PostgresLane::insert(const staging::GroupPlan& plan, bool begun, Token& token) {
  const std::span<const staging::PlannedRow> rows = plan.rows();
  first_place_ = place_ + 1;
  Array parts(ArrayType::int4);
  Array firsts(ArrayType::int8);
  Array lasts(ArrayType::int8);
  Array part_of_row(ArrayType::int4);
  Array streams(ArrayType::text);
  Array versions(ArrayType::int8);
  Array ids(ArrayType::bytes);
  Array types(ArrayType::text);
  Array times(ArrayType::int8);
  Array content_types(ArrayType::text);
  Array data(ArrayType::bytes);
  Array metadata(ArrayType::bytes);
  Array places(ArrayType::int8);
  std::int64_t first = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const staging::PlannedRow& row = rows[i];
    const auto partition = static_cast<std::int32_t>(row.partition.value);
    ++place_;
    if (first == 0) first = place_;
    part_of_row.add4(static_cast<std::int32_t>(parts.size() + 1));
    if (i + 1 == rows.size() || rows[i + 1].partition != row.partition) {
      parts.add4(partition);
      firsts.add(first);
      lasts.add(place_);
      first = 0;
    }
    streams.add(row.stream);
    versions.add(static_cast<std::int64_t>(row.version.value));
    ids.add(row.event->id.view());
    types.add(row.event->type);
    times.add(row.event->time.micros);
    content_types.add(row.event->content_type);
    data.add(row.event->data);
    metadata.add(row.event->metadata);
    places.add(place_);
  }
  const NativeToken native{0, session_->backend(), session_->started(),
                           static_cast<std::int64_t>(batch_)};
  const std::string suffix = native.text().substr(1);
  Parameters parameters;
  parameters.number4(number_.value).number(batch_).text(suffix).number8(now_.micros);
  parameters.array(std::move(parts)).array(std::move(firsts)).array(std::move(lasts));
  parameters.array(std::move(part_of_row)).array(std::move(streams)).array(std::move(versions));
  parameters.array(std::move(ids)).array(std::move(types)).array(std::move(times));
  parameters.array(std::move(content_types)).array(std::move(data)).array(std::move(metadata));
  parameters.array(std::move(places));
  std::vector<Step> steps;
  if (!begun) steps.push_back({&kBegin, {}});
  const bool careful = careful_ > 0;
  steps.push_back({careful ? &kInsertCarefully : &kInsert, std::move(parameters)});
  steps.push_back({&kTransaction, {}});
  const std::vector<Rows> answers = session_->run(std::move(steps));
  token.native = answers.back().text(0, 0) + suffix;

  const Rows& stored = answers[answers.size() - 2];
  std::vector<bool> inserted(rows.size(), !careful);
  for (int row = 0; row < stored.size(); ++row) {
    if (!careful) {
      numbers_[{stored.number32(row, 0)}] = stored.number(row, 1);
      continue;
    }
    const auto index = static_cast<std::size_t>(stored.integer(row, 0) - first_place_);
    inserted.at(index) = true;
    numbers_[rows[index].partition] = stored.number(row, 1);
  }
  return inserted;
}

/// The guard let in only a part: what belongs to appends that are out is removed again, and the
/// ledger rows say what is left.
void PostgresLane::repair(staging::GroupPlan& plan, const std::vector<bool>& inserted,
                          GroupFacts& facts) {
  std::map<const NewEvent*, std::int64_t> place_of;
  std::vector<std::size_t> losers;
  for (std::size_t i = 0; i < inserted.size(); ++i) {
    place_of[plan.rows()[i].event] = first_place_ + static_cast<std::int64_t>(i);
    if (!inserted[i]) losers.push_back(plan.rows()[i].append);
  }
  losers.erase(std::unique(losers.begin(), losers.end()), losers.end());
  std::sort(losers.begin(), losers.end());
  losers.erase(std::unique(losers.begin(), losers.end()), losers.end());
  facts.look_up_ids(losers);
  Array removed(ArrayType::int8);
  for (const std::size_t row : plan.withdraw(inserted, facts)) {
    removed.add(first_place_ + static_cast<std::int64_t>(row));
  }
  struct Left {
    std::int64_t events = 0;
    std::int64_t first = 0;
    std::int64_t last = 0;
  };
  std::map<Partition, Left> left;
  for (const staging::PlannedRow& row : plan.rows()) {
    Left& part = left[row.partition];
    const std::int64_t place = place_of.at(row.event);
    if (part.events++ == 0) part.first = place;
    part.last = place;
  }
  Array partitions(ArrayType::int4);
  Array counts(ArrayType::int4);
  Array firsts(ArrayType::int8);
  Array lasts(ArrayType::int8);
  Array kept(ArrayType::int4);
  for (const auto& [partition, part] : left) {
    partitions.add4(static_cast<std::int32_t>(partition.value));
    kept.add4(static_cast<std::int32_t>(partition.value));
    counts.add4(static_cast<std::int32_t>(part.events));
    firsts.add(part.first);
    lasts.add(part.last);
  }
  const auto transaction = [&] { return Parameters().number4(number_.value).number(batch_); };
  std::vector<Step> steps;
  steps.push_back({&kRemove, Parameters().number4(number_.value).array(std::move(removed))});
  steps.push_back({&kShrink, transaction()
                                 .array(std::move(partitions))
                                 .array(std::move(counts))
                                 .array(std::move(firsts))
                                 .array(std::move(lasts))});
  steps.push_back({&kDropEmpty, transaction().array(std::move(kept))});
  session_->run(std::move(steps));
}

std::vector<Delivery> PostgresLane::deliveries_of(const staging::GroupPlan& plan,
                                                  const Token& token) const {
  std::vector<Delivery> deliveries;
  for (const staging::PlannedRow& row : plan.rows()) {
    if (deliveries.empty() || deliveries.back().id.partition != row.partition) {
      deliveries.push_back({{row.partition, {numbers_.at(row.partition)}}, token, 0, now_});
    }
    ++deliveries.back().events;
  }
  return deliveries;
}

/// Streams that an append only looks at stay as they are until the transaction is over.
void PostgresLane::guard(std::span<const Append> appends, const StagedGroup& group) {
  std::map<std::string_view, Version> demanded;
  std::set<std::string_view> written;
  for (std::size_t i = 0; i < appends.size(); ++i) {
    if (group.results[i].outcome != StageOutcome::staged) continue;
    for (const Write& write : appends[i].writes) written.insert(write.stream.view());
    for (const Precondition& demand : appends[i].preconditions) {
      demanded.try_emplace(demand.stream.view());
    }
  }
  std::erase_if(demanded, [&](const auto& entry) { return written.contains(entry.first); });
  if (demanded.empty()) return;
  Array streams(ArrayType::text);
  for (const auto& [stream, head] : demanded) streams.add(stream);
  static constexpr Sql kHeadsAgain{
      "heads_again",
      "SELECT coalesce((SELECT e.version FROM events e WHERE e.stream = s.stream "
      "ORDER BY e.version DESC LIMIT 1), 0) FROM unnest($1) WITH ORDINALITY AS s(stream, n) "
      "ORDER BY n"};
  const Rows heads = session_->run(kHeadsAgain, Parameters().array(std::move(streams)));
  Array guarded(ArrayType::text);
  Array versions(ArrayType::int8);
  Array ids(ArrayType::bytes);
  Array places(ArrayType::int8);
  Array places_again(ArrayType::int8);
  int row = 0;
  for (auto& [stream, head] : demanded) {
    head = {heads.number(row++, 0)};
    guarded.add(stream);
    versions.add(static_cast<std::int64_t>(head.value + 1));
    places.add(++place_);
    places_again.add(place_);
    ids.add("guard " + std::to_string(number_.value) + " " + std::to_string(place_));
  }
  std::vector<Step> steps;
  steps.push_back({&kLockTimeout, Parameters().text(std::to_string(guard_wait().count()))});
  steps.push_back({&kGuard, Parameters()
                                .number4(number_.value)
                                .array(std::move(guarded))
                                .array(std::move(versions))
                                .array(std::move(ids))
                                .array(std::move(places))});
  steps.push_back({&kRemove, Parameters().number4(number_.value).array(std::move(places_again))});
  steps.push_back(
      {&kLockTimeout, Parameters().text(std::to_string(backend_.options.lock_timeout.count()))});
  const std::vector<Rows> answers = session_->run(std::move(steps));
  guards_given_up_ = 0;
  bool held = answers[1].size() == static_cast<int>(demanded.size());
  // What the demand was judged by may have moved before the guard stood.
  for (std::size_t i = 0; held && i < appends.size(); ++i) {
    if (group.results[i].outcome != StageOutcome::staged) continue;
    for (const Precondition& demand : appends[i].preconditions) {
      const auto found = demanded.find(demand.stream.view());
      if (found != demanded.end() && !demand.expected.met_by(found->second)) held = false;
    }
  }
  if (!held) {
    throw StatusError({StatusCode::contended, "a stream that must stay as it is was written"});
  }
}

/// A guard comes after the rows, out of the order in which all others write, and may be one half of
/// a deadlock, which the server looks for after a second only (deadlock_timeout). So it gives up
/// early: after another time in each lane, lest both give up at once, and a longer one each time,
/// lest a writer that is slow to commit is never outwaited.
milliseconds PostgresLane::guard_wait() {
  const milliseconds least = std::min(kLeastGuardWait * (1U << std::min(guards_given_up_, 7U)),
                                      std::min(kMostGuardWait, backend_.options.lock_timeout));
  ++guards_given_up_;
  std::uniform_int_distribution<milliseconds::rep> wait(least.count(), 2 * least.count());
  return milliseconds(wait(random_));
}

void PostgresLane::keep_keys(const staging::GroupPlan& plan) {
  const auto keys = plan.new_keys();
  if (keys.empty()) return;
  Array scopes(ArrayType::text);
  Array names(ArrayType::text);
  Array digests(ArrayType::bytes);
  Array results(ArrayType::bytes);
  for (const staging::GroupPlan::NewKey& key : keys) {
    scopes.add(key.idempotency->scope);
    names.add(key.idempotency->key);
    digests.add(key.idempotency->digest);
    results.add(staging::encode_result(key.result));
  }
  const Rows rows = session_->run(kKeepKeys, Parameters()
                                                 .array(std::move(scopes))
                                                 .array(std::move(names))
                                                 .array(std::move(digests))
                                                 .array(std::move(results))
                                                 .number8(now_.micros));
  if (rows.size() == static_cast<int>(keys.size())) return;
  throw StatusError({StatusCode::contended, "an idempotency key was stored by another host"});
}

CommitResult PostgresLane::commit() {
  if (!open_) {
    return {CommitOutcome::aborted, {StatusCode::failed_precondition, "no transaction is open"}};
  }
  open_ = false;
  CommitResult result;
  const Status status = backend_.run("committing", [&]() -> Status {
    try {
      const Rows rows = session_->run(kCommit);
      result.outcome = rows.tag() == "COMMIT" ? CommitOutcome::committed : CommitOutcome::aborted;
      if (result.outcome == CommitOutcome::committed) return {};
      return {StatusCode::unavailable, "the database rolled the transaction back"};
    } catch (const SqlError& error) {
      result.outcome = breaks_session(error) ? CommitOutcome::unknown : CommitOutcome::aborted;
      throw;
    }
  });
  result.reason = status;
  if (result.outcome == CommitOutcome::unknown) session_.reset();
  return result;
}

void PostgresLane::rollback() {
  if (!open_) return;
  open_ = false;
  if (session_ == nullptr) return;
  try {
    if (session_->usable()) session_->run(kRollback);
  } catch (const SqlError&) {
    session_.reset();  // which ends the transaction as well
    return;
  }
  if (!session_->usable()) session_.reset();
}

}  // namespace vouch::postgres
