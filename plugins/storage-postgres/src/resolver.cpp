#include "resolver.h"

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <thread>

#include "errors.h"
#include "native_token.h"

namespace vouch::postgres {
namespace {

constexpr Sql kRecorded{"recorded",
                        "SELECT t.n FROM unnest($1, $2) WITH ORDINALITY AS t(lane, batch, n) "
                        "WHERE EXISTS (SELECT 1 FROM deliveries d WHERE d.lane = t.lane "
                        "AND d.batch = t.batch)"};

// Horizon and incarnation of the lanes: what is at or below the horizon is purged, what is of a
// later incarnation was never given out.
constexpr Sql kLanes{"lane_horizons",
                     "SELECT lane, incarnation, purged_batch FROM lanes WHERE lane = ANY ($1)"};

// An id that the server has not reached makes pg_xact_status fail, and the whole statement with it.
constexpr Sql kStatuses{
    "statuses",
    "SELECT t.n, CASE WHEN t.x < next.x THEN pg_xact_status(t.x::text::xid8) END, t.x < next.x "
    "FROM unnest($1, $2) AS t(n, x), "
    "(SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS x) AS next"};

constexpr Sql kAlive{
    "owners_alive",
    "SELECT t.n FROM unnest($1, $2, $3) AS t(n, pid, started) JOIN pg_stat_activity a "
    "ON a.pid = t.pid AND (extract(epoch FROM a.backend_start) * 1000000)::bigint = t.started"};

constexpr Sql kNextId{"next_id", "SELECT pg_current_xact_id()::text::bigint"};

constexpr Sql kTerminate{"end_owner",
                         "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 "
                         "AND (extract(epoch FROM backend_start) * 1000000)::bigint = $2"};

/// How long a session may take to end.
constexpr std::chrono::seconds kPatience{5};

/// A token that was altered, or made up, names no batch that was given out.
bool names_batch(const Token& token) {
  const auto native = NativeToken::parse(token.native);
  return native && static_cast<std::uint64_t>(native->batch) == token.batch.value;
}

class Resolver {
 public:
  Resolver(Session& session, std::span<const Token> tokens)
      : session_(session), tokens_(tokens), verdicts_(tokens.size()) {}

  std::vector<Verdict> run() {
    for (std::size_t i = 0; i < tokens_.size(); ++i) open_.insert(i);
    take_recorded();
    take_foreign();
    if (!open_.empty()) take_in_progress();
    // Not in progress: whatever it wrote is visible by now, or was purged; so the horizon comes
    // last.
    if (!open_.empty()) take_recorded();
    if (!open_.empty()) take_lanes();
    for (const std::size_t i : open_) verdicts_[i] = Verdict::aborted;
    return verdicts_;
  }

 private:
  void settle(std::size_t index, Verdict verdict) {
    verdicts_[index] = verdict;
    open_.erase(index);
  }

  void take_recorded() {
    Array lanes(ArrayType::int4);
    Array batches(ArrayType::int8);
    const std::vector<std::size_t> asked(open_.begin(), open_.end());
    for (const std::size_t i : asked) {
      lanes.add4(static_cast<std::int32_t>(tokens_[i].lane.value));
      batches.add(static_cast<std::int64_t>(tokens_[i].batch.value));
    }
    const Rows rows =
        session_.run(kRecorded, Parameters().array(std::move(lanes)).array(std::move(batches)));
    for (int row = 0; row < rows.size(); ++row) {
      settle(asked.at(rows.number(row, 0) - 1), Verdict::committed);
    }
  }

  /// What this plugin never gave out.
  void take_foreign() {
    const std::vector<std::size_t> asked(open_.begin(), open_.end());
    for (const std::size_t i : asked) {
      if (!names_batch(tokens_[i])) settle(i, Verdict::forgotten);
    }
  }

  void take_lanes() {
    std::set<std::uint32_t> wanted;
    for (const std::size_t i : open_) wanted.insert(tokens_[i].lane.value);
    Array lanes(ArrayType::int4);
    for (const std::uint32_t lane : wanted) lanes.add4(static_cast<std::int32_t>(lane));
    const Rows rows = session_.run(kLanes, Parameters().array(std::move(lanes)));
    struct Lane {
      std::uint64_t incarnation = 0;
      std::uint64_t purged = 0;
    };
    std::map<std::uint32_t, Lane> known;
    for (int row = 0; row < rows.size(); ++row) {
      known[rows.number32(row, 0)] = {rows.number(row, 1), rows.number(row, 2)};
    }
    const std::vector<std::size_t> asked(open_.begin(), open_.end());
    for (const std::size_t i : asked) {
      const auto found = known.find(tokens_[i].lane.value);
      const std::uint64_t batch = tokens_[i].batch.value;
      const bool given_out = found != known.end() && batch > found->second.purged &&
                             batch >> 32U <= found->second.incarnation;
      if (!given_out) settle(i, Verdict::forgotten);
    }
  }

  void take_in_progress() {
    Array places(ArrayType::int8);
    Array ids(ArrayType::int8);
    for (const std::size_t i : open_) {
      places.add(static_cast<std::int64_t>(i));
      ids.add(NativeToken::parse(tokens_[i].native)->transaction);
    }
    const Rows rows =
        session_.run(kStatuses, Parameters().array(std::move(places)).array(std::move(ids)));
    std::vector<std::size_t> ahead;
    for (int row = 0; row < rows.size(); ++row) {
      const auto index = static_cast<std::size_t>(rows.number(row, 0));
      if (rows.integer(row, 2) == 0) {
        ahead.push_back(index);
      } else if (!rows.null(row, 1) && rows.bytes(row, 1) == "in progress") {
        settle(index, Verdict::in_progress);
      }
    }
    if (!ahead.empty()) take_ahead(ahead);
  }

  /// Ids at or behind the newest that has ended: running now, or of a server that crashed since and
  /// has not come so far again.
  void take_ahead(const std::vector<std::size_t>& ahead) {
    Array places(ArrayType::int8);
    Array backends(ArrayType::int8);
    Array starts(ArrayType::int8);
    for (const std::size_t i : ahead) {
      const NativeToken native = *NativeToken::parse(tokens_[i].native);
      places.add(static_cast<std::int64_t>(i));
      backends.add(native.backend);
      starts.add(native.started);
    }
    const Rows alive = session_.run(
        kAlive,
        Parameters().array(std::move(places)).array(std::move(backends)).array(std::move(starts)));
    std::set<std::size_t> left(ahead.begin(), ahead.end());
    for (int row = 0; row < alive.size(); ++row) {
      const auto index = static_cast<std::size_t>(alive.number(row, 0));
      left.erase(index);
      settle(index, Verdict::in_progress);
    }
    if (left.empty()) return;
    // A new id is behind every id that this server ever gave out: those that are before it can be
    // asked for now, and those that are not were given out by a server that crashed.
    const std::int64_t next = session_.run(kNextId).integer(0, 0);
    Array again(ArrayType::int8);
    Array ids(ArrayType::int8);
    for (const std::size_t i : left) {
      const std::int64_t id = NativeToken::parse(tokens_[i].native)->transaction;
      if (id >= next) continue;
      again.add(static_cast<std::int64_t>(i));
      ids.add(id);
    }
    if (again.size() == 0) return;
    const Rows rows =
        session_.run(kStatuses, Parameters().array(std::move(again)).array(std::move(ids)));
    for (int row = 0; row < rows.size(); ++row) {
      const bool running =
          rows.integer(row, 2) == 0 || (!rows.null(row, 1) && rows.bytes(row, 1) == "in progress");
      if (running) settle(static_cast<std::size_t>(rows.number(row, 0)), Verdict::in_progress);
    }
  }

  Session& session_;
  std::span<const Token> tokens_;
  std::vector<Verdict> verdicts_;
  std::set<std::size_t> open_;  ///< indexes without a verdict
};

}  // namespace

std::vector<Verdict> resolve_tokens(Session& session, std::span<const Token> tokens) {
  return tokens.empty() ? std::vector<Verdict>() : Resolver(session, tokens).run();
}

void end_owner(Session& session, const Token& token) {
  const auto native = NativeToken::parse(token.native);
  if (!native) return;
  const auto owner = [&] { return Parameters().number4(native->backend).number8(native->started); };
  // The server ends it in its own time; before that, the transaction would still be in progress.
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!session.run(kTerminate, owner()).empty()) {
    if (std::chrono::steady_clock::now() >= deadline) {
      throw StatusError({StatusCode::timeout, "the server did not end the session in time"});
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

}  // namespace vouch::postgres
