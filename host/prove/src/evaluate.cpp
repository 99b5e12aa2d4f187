// From a history to the figures of a report.
#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_set>

#include "prove/report.h"

namespace vouch::prove {
namespace {

constexpr const char* kCalm = "calm";

double percentile(std::vector<double>& sorted, double part) {
  if (sorted.empty()) return 0;
  const auto rank = static_cast<std::size_t>(std::ceil(part * static_cast<double>(sorted.size())));
  return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

/// The state that a request met: the fault that went on meanwhile, if there was one.
std::string state_of(const std::vector<InjectedFault>& faults, const Attempt& attempt) {
  for (const InjectedFault& fault : faults) {
    if (fault.began <= attempt.ended && attempt.began < fault.ended) {
      return fault_name(fault.fault.kind);
    }
  }
  return kCalm;
}

struct Samples {
  std::vector<double> milliseconds;
};

void measure(Report& report, const History& history) {
  std::map<std::string, Samples> by_state;
  std::vector<Samples> by_second(static_cast<std::size_t>(report.lasted));
  report.seconds.assign(by_second.size(), {});
  for (const Append& append : history.appends) {
    for (const Attempt& attempt : append.attempts) {
      if (attempt.outcome != Outcome::committed || attempt.replayed) continue;
      const double milliseconds = (attempt.ended - attempt.began) * 1e3;
      by_state[state_of(report.faults, attempt)].milliseconds.push_back(milliseconds);
      const auto second = static_cast<std::size_t>(std::max(attempt.ended, 0.0));
      if (second >= by_second.size()) continue;
      by_second[second].milliseconds.push_back(milliseconds);
      report.seconds[second].committed += append.marks.size();
    }
  }
  for (std::size_t i = 0; i < by_second.size(); ++i) {
    auto& samples = by_second[i].milliseconds;
    std::ranges::sort(samples);
    report.seconds[i].p50_ms = percentile(samples, 0.5);
    report.seconds[i].p99_ms = percentile(samples, 0.99);
  }
  std::map<std::string, Seconds> lasted;
  Seconds in_faults = 0;
  for (const InjectedFault& fault : report.faults) {
    lasted[fault_name(fault.fault.kind)] += fault.ended - fault.began;
    in_faults += fault.ended - fault.began;
  }
  lasted[kCalm] = std::max(report.lasted - in_faults, 0.0);
  std::vector<std::string> states{kCalm};
  for (const FaultKind kind : kFaultKinds) states.emplace_back(fault_name(kind));
  for (const std::string& state : states) {
    if (!lasted.contains(state)) continue;
    auto& samples = by_state[state].milliseconds;
    std::ranges::sort(samples);
    report.measured.push_back({state, lasted[state], samples.size(), percentile(samples, 0.5),
                               percentile(samples, 0.99), samples.empty() ? 0 : samples.back()});
  }
}

void count(Report& report, const History& history) {
  for (const Append& append : history.appends) {
    ++report.appends;
    for (const Attempt& attempt : append.attempts) {
      report.committed += attempt.outcome == Outcome::committed ? 1 : 0;
      report.refused += attempt.outcome == Outcome::refused ? 1 : 0;
      report.unanswered += attempt.outcome == Outcome::open ? 1 : 0;
    }
  }
  report.events = history.feed.size();
  report.streams = history.streams.size();
  report.messages = history.outbound.size();
  std::unordered_set<std::string> seen;
  for (const Outbound& message : history.outbound) {
    if (!seen.insert(message.topic + ' ' + message.event.id).second) ++report.repeated_messages;
  }
}

/// One for each invariant that was broken.
void add_histories(Report& report, const History& history) {
  for (const Finding& finding : report.findings.all) {
    if (finding.violations.empty()) continue;
    const Violation& first = finding.violations.front();
    report.histories.emplace_back(
        first.stream + " (invariant " + std::to_string(finding.invariant) + ")",
        history_of(history, first));
  }
}

}  // namespace

const char* verdict_words(Verdict verdict) {
  switch (verdict) {
    case Verdict::held:
      return "the promise held";
    case Verdict::broken:
      return "the promise was broken";
    case Verdict::nothing_shown:
      return "nothing was shown";
    case Verdict::unfinished:
      return "the promise held as far as the trial came";
  }
  return "";
}

void evaluate(Report& report, const History& history) {
  report.findings = judge(history);
  count(report, history);
  measure(report, history);
  add_histories(report, history);
  if (report.findings.violated() > 0) {
    report.verdict = Verdict::broken;
  } else if (report.committed == 0 || report.events == 0) {
    report.verdict = Verdict::nothing_shown;
    report.notes.emplace_back("No append was committed, so there was nothing to judge.");
  } else {
    report.verdict = report.broke_off ? Verdict::unfinished : Verdict::held;
  }
}

std::vector<std::pair<FaultKind, std::uint64_t>> fault_counts(const Report& report) {
  std::vector<std::pair<FaultKind, std::uint64_t>> counts;
  for (const FaultKind kind : kFaultKinds) {
    const auto times = std::ranges::count_if(
        report.faults, [&](const InjectedFault& each) { return each.fault.kind == kind; });
    if (times > 0) counts.emplace_back(kind, static_cast<std::uint64_t>(times));
  }
  return counts;
}

}  // namespace vouch::prove
