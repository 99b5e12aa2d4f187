#include <cstdio>
#include <string>

#include "html_text.h"
#include "prove/report.h"

namespace vouch::prove {
namespace {

constexpr std::size_t kMostViolations = 5;

template <typename... Values>
std::string line(const char* format, Values... values) {
  char text[256];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

std::string count(std::uint64_t number) {
  return std::to_string(number);
}

void add_invariants(std::string& out, const Report& report) {
  out += line("  %-23s %12s  %-22s %9s\n", "invariant", "checked", "", "violated");
  for (const Finding& finding : report.findings.all) {
    out += line("  %d %-21s %12s  %-22s %9s\n", finding.invariant, finding.name,
                count(finding.checked).c_str(), finding.unit,
                count(finding.violations.size()).c_str());
  }
}

void add_measures(std::string& out, const Report& report) {
  out += line("\n  %-18s %7s %9s %9s %11s %9s %9s %10s\n", "fault", "times", "seconds", "appends",
              "appends/s", "p50 ms", "p99 ms", "longest ms");
  const auto counts = fault_counts(report);
  for (const Measured& each : report.measured) {
    std::string times;
    for (const auto& [kind, number] : counts) {
      if (each.when == fault_name(kind)) times = count(number);
    }
    const bool any = each.committed > 0;  // else there is nothing to have a latency
    out += line("  %-18s %7s %9.1f %9s %11.1f %9s %9s %10s\n", each.when.c_str(), times.c_str(),
                each.lasted, count(each.committed).c_str(),
                each.lasted > 0 ? static_cast<double>(each.committed) / each.lasted : 0.0,
                any ? decimal(each.p50_ms, 1).c_str() : "-",
                any ? decimal(each.p99_ms, 1).c_str() : "-",
                any ? decimal(each.longest_ms, 0).c_str() : "-");
  }
}

void add_violations(std::string& out, const Report& report) {
  for (const Finding& finding : report.findings.all) {
    if (finding.violations.empty()) continue;
    out += line("\n  invariant %d, %s: ", finding.invariant, finding.name);
    out += std::string(finding.promise) + '\n';
    for (std::size_t i = 0; i < finding.violations.size(); ++i) {
      if (i == kMostViolations) {
        out += "    … and " + count(finding.violations.size() - i) + " more\n";
        break;
      }
      out += "    " + finding.violations[i].words + '\n';
    }
  }
  for (const auto& [stream, lines] : report.histories) {
    out += "\n  history of " + stream + ":\n";
    for (const std::string& each : lines) out += "    " + each + '\n';
  }
}

}  // namespace

std::string report_text(const Report& report) {
  std::string out;
  out += line("%.0f seconds with %u host%s: ", report.lasted, report.hosts,
              report.hosts == 1 ? "" : "s");
  out += count(report.appends) + " appends, " + count(report.committed) + " answers committed, " +
         count(report.refused) + " refused, " + count(report.unanswered) + " missing; " +
         count(report.events) + " events in " + count(report.streams) + " streams, " +
         count(report.messages) + " messages out (" + count(report.repeated_messages) +
         " repeated)\n\n";
  add_invariants(out, report);
  add_measures(out, report);
  add_violations(out, report);
  if (!report.notes.empty()) out += '\n';
  for (const std::string& note : report.notes) out += "  note: " + note + '\n';
  out += "\n  the same faults again: " + report.repeat + "\n\n";
  out += std::string(verdict_words(report.verdict)) + '\n';
  return out;
}

}  // namespace vouch::prove
