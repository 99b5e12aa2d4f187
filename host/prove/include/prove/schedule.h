// The faults of a run: what, when, to which host or connection, for how long. Drawn from a seed, so
// that the seed gives the same schedule again. Pure, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "prove/history.h"

namespace vouch::prove {

enum class FaultKind : std::uint8_t {
  kill,         ///< kill -9 of a host, now and then of its restart too, then a restart
  restart,      ///< SIGTERM, then a restart
  stop,         ///< SIGSTOP, later SIGCONT
  cut,          ///< all connections to a backend at once
  refuse,       ///< connections are cut, new ones refused for a while
  hold,         ///< nothing passes in either direction for a while, nothing is lost
  half_close,   ///< one direction of each connection ends
  lose_answer,  ///< requests arrive; the connection is cut instead of the answer
  delay,        ///< answers come later
};
inline constexpr FaultKind kFaultKinds[] = {
    FaultKind::kill,       FaultKind::restart,     FaultKind::stop,
    FaultKind::cut,        FaultKind::refuse,      FaultKind::hold,
    FaultKind::half_close, FaultKind::lose_answer, FaultKind::delay};

/// "kill", "lost answers", for people.
const char* fault_name(FaultKind kind);
/// In one sentence.
const char* fault_words(FaultKind kind);

struct Fault {
  FaultKind kind = FaultKind::kill;
  Seconds at = 0;
  Seconds lasts = 0;       ///< kill, restart: until the new start is tried
  std::uint32_t host = 0;  ///< from 0
  std::uint32_t link = 0;  ///< of that host; for faults of connections
  Seconds amount = 0;      ///< delay: of each answer; kill: so long after the restart once more

  bool operator==(const Fault&) const = default;
};

struct ScheduleOptions {
  std::uint64_t seed = 0;
  Seconds lasts = 300;
  Seconds calm =
      5;  ///< without faults at the beginning and the end, at most a tenth of it all each
  std::uint32_t hosts = 1;
  std::uint32_t links = 0;  ///< proxied backends of each host; 0: no faults of connections
};

/// In order of time; one ends before the next begins.
std::vector<Fault> make_schedule(const ScheduleOptions& options);

/// Whether a fault concerns a connection rather than a process.
bool is_of_link(FaultKind kind);

}  // namespace vouch::prove
