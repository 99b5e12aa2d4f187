#include "resolver.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

#include "size_classes.h"

namespace vouch::mysql {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostTokens = 256;
constexpr auto kFencePatience = 10s;

}  // namespace

/// The order of the steps is what makes the answer definite:
/// 1. uncommitted rows, so that what commits during the questions was seen here;
/// 2. committed rows; a row seen only by the first step belongs to an open transaction;
/// 3. what was purged, which is told in the transaction that takes the rows away.
/// A row that none of them knows was rolled back: its `stage` had returned before step 1.
std::vector<Verdict> Resolver::resolve(std::span<const Token> tokens) {
  std::vector<Verdict> verdicts;
  if (tokens.empty()) return verdicts;
  const std::set<Batch> uncommitted =
      backend_.dirty.with([&](Session& session) { return recorded(session, tokens); });
  backend_.work.with([&](Session& session) {
    verdicts.assign(tokens.size(), Verdict::aborted);
    const std::set<Batch> committed = recorded(session, tokens);
    const std::set<Batch> gone = forgotten(session, tokens);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const Batch batch{tokens[i].lane.value, tokens[i].batch.value};
      if (committed.contains(batch)) {
        verdicts[i] = Verdict::committed;
      } else if (uncommitted.contains(batch)) {
        verdicts[i] = Verdict::in_progress;
      } else if (gone.contains(batch)) {
        verdicts[i] = Verdict::forgotten;
      }
    }
    if (!committed.empty()) backend_.settle(session);
  });
  return verdicts;
}

std::set<Resolver::Batch> Resolver::recorded(Session& session, std::span<const Token> tokens) {
  std::set<Batch> found;
  for (std::size_t from = 0; from < tokens.size();) {
    const std::size_t count = std::min(tokens.size() - from, kMostTokens);
    const std::size_t terms = holding_class(count, kMostTokens);
    std::vector<Param> params;
    for (std::size_t i = 0; i < terms; ++i) {
      const Token& token = tokens[from + std::min(i, count - 1)];
      params.emplace_back(token.lane.value);
      params.emplace_back(token.batch.value);
    }
    Rows rows = session
                    .prepared("SELECT lane, batch FROM vouch_deliveries WHERE " +
                              repeated("(lane = ? AND batch = ?)", terms, " OR "))
                    .run(params);
    while (rows.next()) found.emplace(rows.number32(0), rows.number(1));
    from += count;
  }
  return found;
}

/// Purged, or never given out.
std::set<Resolver::Batch> Resolver::forgotten(Session& session, std::span<const Token> tokens) {
  struct Known {
    std::uint64_t incarnation, purged_batch;
  };
  std::map<std::uint32_t, Known> lanes;
  {
    Rows rows = session.prepared("SELECT lane, incarnation, purged_batch FROM vouch_lanes").run({});
    while (rows.next()) lanes[rows.number32(0)] = {rows.number(1), rows.number(2)};
  }
  std::set<Batch> gone;
  for (const Token& token : tokens) {
    const auto lane = lanes.find(token.lane.value);
    const std::uint64_t batch = token.batch.value;
    if (lane == lanes.end() || batch <= lane->second.purged_batch ||
        batch >> 32U > lane->second.incarnation ||
        backend_.given_out.is_ahead(token.lane, token.batch)) {
      gone.emplace(token.lane.value, batch);
    }
  }
  return gone;
}

void Resolver::fence(const Token& token) {
  const auto over = [&] {
    return resolve(std::span<const Token>(&token, 1)).front() != Verdict::in_progress;
  };
  if (over()) return;
  kill(token);
  const auto deadline = std::chrono::steady_clock::now() + kFencePatience;
  for (auto pause = 1ms; !over(); pause = std::min(2 * pause, 100ms)) {
    if (std::chrono::steady_clock::now() > deadline) {
      throw StatusError({StatusCode::unavailable,
                         "the transaction of a killed session is still being rolled back"});
    }
    std::this_thread::sleep_for(pause);
  }
}

/// Session numbers are used again after a restart of the server, so a session is killed only while
/// it holds the lane's lock.
void Resolver::kill(const Token& token) {
  backend_.work.with([&](Session& session) {
    std::uint64_t owner = 0;
    {
      Rows rows = session
                      .prepared(
                          "SELECT session FROM vouch_lanes WHERE lane = ? AND "
                          "incarnation = ? AND session = IS_USED_LOCK(?)")
                      .run({token.lane.value, token.batch.value >> 32U,
                            std::string_view(backend_.locks.lane(token.lane))});
      while (rows.next()) owner = rows.number(0);
    }
    if (owner == 0) return;
    try {
      session.execute("KILL CONNECTION " + std::to_string(owner));
    } catch (const SqlError& error) {
      constexpr unsigned kNoSuchThread = 1094;
      if (error.code() != kNoSuchThread) throw;
    }
  });
}

}  // namespace vouch::mysql
