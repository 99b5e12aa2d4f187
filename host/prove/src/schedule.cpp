#include "prove/schedule.h"

#include <algorithm>

#include "seeded_random.h"

namespace vouch::prove {
namespace {

struct Row {
  FaultKind kind;
  const char* name;
  const char* words;
  std::uint32_t weight;  ///< how often, against the others
  Seconds shortest;
  Seconds longest;
};

/// A fault lasts anything between the two; every tenth stop is as long as a host is given up by
/// default by the storage plugins (lost_host_timeout), and longer.
constexpr Row kRows[] = {
    {FaultKind::kill, "kill -9",
     "A host is killed and started again, now and then killed while it starts.", 6, 0.0, 1.0},
    {FaultKind::restart, "restart", "A host is asked to stop and started again.", 1, 0.0, 0.5},
    {FaultKind::stop, "stopped host", "A host stands still (SIGSTOP) and goes on.", 3, 0.2, 3.0},
    {FaultKind::cut, "cut", "All connections to a backend are cut.", 3, 0.0, 0.1},
    {FaultKind::refuse, "unreachable", "A backend can't be reached for a while.", 2, 0.2, 3.0},
    {FaultKind::hold, "stall", "Connections to a backend stand still.", 2, 0.2, 3.0},
    {FaultKind::half_close, "half-close", "One direction of each connection is closed.", 2, 0.1,
     0.5},
    {FaultKind::lose_answer, "lost answers",
     "Requests reach a backend; the connection is cut instead of the answer.", 4, 0.1, 1.0},
    {FaultKind::delay, "delayed answers", "Answers of a backend come late.", 2, 0.5, 3.0},
};
constexpr Seconds kLongStop = 12;
constexpr double kTornStarts = 0.25;
constexpr Seconds kLeastCalm = 0.3;
constexpr Seconds kMostCalm = 3;

const Row& row(FaultKind kind) {
  return *std::ranges::find(kRows, kind, &Row::kind);
}

FaultKind draw_kind(SeededRandom& random, bool links) {
  std::uint64_t weights = 0;
  for (const Row& each : kRows) {
    if (links || !is_of_link(each.kind)) weights += each.weight;
  }
  std::uint64_t left = random.below(weights);
  for (const Row& each : kRows) {
    if (!links && is_of_link(each.kind)) continue;
    if (left < each.weight) return each.kind;
    left -= each.weight;
  }
  return FaultKind::kill;
}

}  // namespace

const char* fault_name(FaultKind kind) {
  return row(kind).name;
}

const char* fault_words(FaultKind kind) {
  return row(kind).words;
}

bool is_of_link(FaultKind kind) {
  return kind != FaultKind::kill && kind != FaultKind::restart && kind != FaultKind::stop;
}

std::vector<Fault> make_schedule(const ScheduleOptions& options) {
  std::vector<Fault> faults;
  SeededRandom random(options.seed);
  const Seconds calm = std::min(options.calm, options.lasts / 10);
  const Seconds end = options.lasts - calm;
  Seconds now = calm;
  while (options.hosts > 0) {
    Fault fault;
    fault.kind = draw_kind(random, options.links > 0);
    fault.at = now;
    fault.lasts = random.between(row(fault.kind).shortest, row(fault.kind).longest);
    if (fault.kind == FaultKind::stop && random.below(10) == 0) fault.lasts = kLongStop;
    fault.host = static_cast<std::uint32_t>(random.below(options.hosts));
    if (is_of_link(fault.kind))
      fault.link = static_cast<std::uint32_t>(random.below(options.links));
    if (fault.kind == FaultKind::kill && random.chance(kTornStarts)) {
      fault.amount = random.between(0.005, 0.3);
    }
    if (fault.kind == FaultKind::delay) fault.amount = random.between(0.02, 0.5);
    if (fault.at + fault.lasts > end) break;
    now = fault.at + fault.lasts + random.between(kLeastCalm, kMostCalm);
    faults.push_back(fault);
  }
  return faults;
}

}  // namespace vouch::prove
