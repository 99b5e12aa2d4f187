// What a run came to, as text for a terminal and as one HTML file. Plain values, pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "prove/checks.h"
#include "prove/history.h"
#include "prove/schedule.h"

namespace vouch::prove {

/// A fault as it happened.
struct InjectedFault {
  Fault fault;
  std::string on;  ///< "h1", "h1 to storage"
  Seconds began = 0;
  Seconds ended = 0;  ///< when its cause was gone and the host was ready again
};

/// Of appends that began in the same state: calm, or during one kind of fault.
struct Measured {
  std::string when;  ///< "calm", or the fault's name
  Seconds lasted = 0;
  std::uint64_t committed = 0;
  double p50_ms = 0;  ///< of those that were committed, by one attempt
  double p99_ms = 0;
  double longest_ms = 0;
};

/// A second of the run.
struct Slice {
  std::uint64_t committed = 0;  ///< events
  double p50_ms = 0;
  double p99_ms = 0;
};

enum class Verdict : std::uint8_t {
  held,
  broken,
  nothing_shown,  ///< too little happened to say anything
  unfinished,     ///< it held, but the trial could not go on to its end
};

struct Report {
  Verdict verdict = Verdict::nothing_shown;
  std::string config;  ///< file
  std::string time;    ///< of the beginning, RFC 3339
  std::string version;
  std::string repeat;  ///< the command that repeats the schedule
  std::uint64_t seed = 0;
  std::uint32_t hosts = 0;
  Seconds lasted = 0;
  bool broke_off = false;               ///< before its time, and nobody had asked for it
  std::vector<std::string> guarantees;  ///< what the pair says of itself
  std::vector<std::string> plugins;     ///< with their versions
  std::vector<std::string> notes;       ///< what the run could not look at, and why
  Findings findings;
  /// Of the first violation of each invariant: stream, and what happened there.
  std::vector<std::pair<std::string, std::vector<std::string>>> histories;
  std::vector<InjectedFault> faults;
  std::vector<Measured> measured;
  std::vector<Slice> seconds;
  std::uint64_t appends = 0;
  std::uint64_t committed = 0;
  std::uint64_t refused = 0;
  std::uint64_t unanswered = 0;
  std::uint64_t events = 0;
  std::uint64_t streams = 0;
  std::uint64_t messages = 0;
  std::uint64_t repeated_messages = 0;  ///< of an event that the topic had already
};

/// "the promise held", "the promise was broken" and so on.
const char* verdict_words(Verdict verdict);

/// Fills what follows from the history and the faults: verdict, findings, measures, counts.
void evaluate(Report& report, const History& history);

/// For a terminal; at most 100 columns but for words of violations.
std::string report_text(const Report& report);

/// One self-contained page.
std::string report_html(const Report& report);

/// How often each kind of fault was injected; kinds that were not are left out.
std::vector<std::pair<FaultKind, std::uint64_t>> fault_counts(const Report& report);

}  // namespace vouch::prove
