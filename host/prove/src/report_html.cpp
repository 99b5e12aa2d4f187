// The report as a page: one file that loads nothing, and reads well on paper.
#include <cmath>
#include <string>
#include <vector>

#include "html_text.h"
#include "prove/report.h"
#include "svg_plot.h"

namespace vouch::prove {
namespace {

constexpr std::size_t kMostViolations = 20;

constexpr const char* kStyle = R"(
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #222; background: #fff; max-width: 60rem;
  margin: 2rem auto; padding: 0 1.5rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; border-bottom: 1px solid #ccc; padding-bottom: .2rem; }
.verdict { font-size: 1.2rem; font-weight: 600; padding: .6rem 1rem; margin: 1rem 0;
  border-left: .4rem solid; }
.held { border-color: #2e7d32; background: #f1f8f1; }
.broken { border-color: #b71c1c; background: #fdf2f2; }
.shown { border-color: #8d6e00; background: #fdf9ec; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .25rem .6rem; border-bottom: 1px solid #e3e3e3;
  vertical-align: top; }
th { font-weight: 600; border-bottom: 1px solid #999; }
th { white-space: nowrap; }
th.t, td.t { text-align: left; }
.wide { min-width: 15rem; }
.unit { white-space: nowrap; }
tr.bad td { background: #fdf2f2; }
small, .quiet { color: #666; }
pre { font: 12px/1.45 ui-monospace, monospace; background: #f7f7f7; padding: .7rem; overflow-x: auto;
  white-space: pre-wrap; overflow-wrap: anywhere; }
code { font: 13px ui-monospace, monospace; overflow-wrap: anywhere; }
svg { width: 100%; height: auto; display: block; margin: .5rem 0 1rem; }
svg text { font: 11px system-ui, sans-serif; fill: #444; }
svg .grid { stroke: #ddd; stroke-width: 1; }
svg polyline { fill: none; stroke-width: 1.4; }
svg .host { fill: #e57373; fill-opacity: .35; }
svg .link { fill: #ffb74d; fill-opacity: .35; }
.key { display: inline-block; width: 1em; height: .8em; margin: 0 .3em 0 1em; }
@media print {
  body { margin: 0; padding: 0; max-width: none; font-size: 10pt; }
  th, td { padding: .2rem .4rem; }
  h2 { break-after: avoid; }
  thead { display: table-header-group; }
  tr, svg, .whole { break-inside: avoid; }
  .verdict, tr.bad td, pre, svg rect, .key { -webkit-print-color-adjust: exact;
    print-color-adjust: exact; }
  @page { margin: 16mm; }
}
)";

/// With its thousands apart.
std::string number(std::uint64_t count) {
  std::string digits = std::to_string(count);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, ',');
  return digits;
}

/// "2026-11-25T20:00:00.123456Z" for people.
std::string moment(const std::string& time) {
  constexpr std::size_t kDate = 10;
  constexpr std::size_t kSeconds = 19;
  if (time.size() <= kSeconds) return time;
  return time.substr(0, kDate) + ' ' + time.substr(kDate + 1, kSeconds - kDate - 1) + " UTC";
}

/// A table with its first row, which is repeated on each page of paper.
std::string begin_table(const std::string& heads) {
  return "<table>\n<thead><tr>" + heads + "</tr></thead>\n";
}

std::string cell(const std::string& text, bool left = false) {
  return (left ? "<td class=\"t\">" : "<td>") + escape_html(text) + "</td>";
}

const char* verdict_class(Verdict verdict) {
  switch (verdict) {
    case Verdict::held:
      return "held";
    case Verdict::broken:
      return "broken";
    case Verdict::nothing_shown:
    case Verdict::unfinished:
      return "shown";
  }
  return "";
}

void add_head(std::string& out, const Report& report) {
  out +=
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>vouch prove: ";
  out += escape_html(verdict_words(report.verdict));
  out += "</title>\n<style>" + std::string(kStyle) + "</style>\n</head>\n<body>\n";
  out += "<h1>Vouch: a trial of the promise</h1>\n<div class=\"quiet\">" +
         escape_html(report.config) + " · " + escape_html(moment(report.time)) + " · vouch " +
         escape_html(report.version) + "</div>\n";
  std::string words = verdict_words(report.verdict);
  words.front() = static_cast<char>(words.front() - 'a' + 'A');
  const char* separator = ": ";
  for (const Finding& finding : report.findings.all) {
    if (finding.violations.empty()) continue;
    words += separator + std::to_string(finding.invariant) + ' ' + finding.name;
    separator = ", ";
  }
  out += std::string("<div class=\"verdict ") + verdict_class(report.verdict) + "\">" +
         escape_html(words) + "</div>\n";
  out += "<p>" + decimal(report.lasted, 0) + " seconds, " + number(report.hosts) +
         (report.hosts == 1 ? " host" : " hosts") + ", " + number(report.faults.size()) +
         " faults. " + number(report.appends) + " appends: " + number(report.committed) +
         " answers that it is committed, " + number(report.refused) + " that it is not, " +
         number(report.unanswered) + " missing or open. " + number(report.events) + " events in " +
         number(report.streams) + " streams; " + number(report.messages) +
         " messages on outbound topics, " + number(report.repeated_messages) +
         " of them repeated.</p>\n";
}

void add_invariants(std::string& out, const Report& report) {
  out += "<h2>The seven invariants</h2>\n" +
         begin_table(
             "<th></th><th class=\"t\">Invariant</th><th>Checked</th><th></th>"
             "<th>Violated</th>");
  for (const Finding& finding : report.findings.all) {
    const bool bad = !finding.violations.empty();
    out += bad ? "<tr class=\"bad\">" : "<tr>";
    out += cell(std::to_string(finding.invariant)) + "<td class=\"t\"><strong>" +
           escape_html(finding.name) + "</strong><br><small>" + escape_html(finding.promise) +
           "</small></td>" + cell(number(finding.checked)) + "<td class=\"t unit\">" +
           escape_html(finding.unit) + "</td>" + cell(number(finding.violations.size())) +
           "</tr>\n";
  }
  out += "</table>\n";
}

void add_violations(std::string& out, const Report& report) {
  if (report.findings.violated() == 0) return;
  out += "<h2>Violations</h2>\n";
  for (const Finding& finding : report.findings.all) {
    if (finding.violations.empty()) continue;
    out += "<p><strong>" + std::to_string(finding.invariant) + ", " + escape_html(finding.name) +
           "</strong></p>\n<pre>";
    for (std::size_t i = 0; i < finding.violations.size(); ++i) {
      if (i == kMostViolations) {
        out += "… and " + number(finding.violations.size() - i) + " more\n";
        break;
      }
      out += escape_html(finding.violations[i].words) + "\n";
    }
    out += "</pre>\n";
  }
  for (const auto& [stream, lines] : report.histories) {
    out += "<p>History of " + escape_html(stream) + "</p>\n<pre>";
    for (const std::string& line : lines) out += escape_html(line) + "\n";
    out += "</pre>\n";
  }
}

void add_plots(std::string& out, const Report& report) {
  PlotLine events{"events committed", "#1565c0", {}, false};
  PlotLine p50{"p50", "#1565c0", {}, true};
  PlotLine p99{"p99", "#6a1b9a", {}, true};
  for (const Slice& second : report.seconds) {
    events.values.push_back(static_cast<double>(second.committed));
    p50.values.push_back(second.p50_ms);
    p99.values.push_back(second.p99_ms);
  }
  out +=
      "<div class=\"whole\">\n<h2>Throughput and latency</h2>\n<p class=\"quiet\">Faults:"
      "<span class=\"key\" style=\"background:#e57373\"></span>of hosts"
      "<span class=\"key\" style=\"background:#ffb74d\"></span>of connections</p>\n";
  out += svg_plot({"Events committed a second", "events/s", {events}, false}, report.faults,
                  report.lasted);
  out += svg_plot({"Latency of appends", "ms, logarithmic", {p50, p99}, true}, report.faults,
                  report.lasted);
  out += "</div>\n";
}

void add_measures(std::string& out, const Report& report) {
  out += "<h2>Calm, and during faults</h2>\n" +
         begin_table(
             "<th class=\"t wide\">Fault</th><th>Times</th><th>Seconds</th><th>Appends</th>"
             "<th>Appends/s</th><th>p50, ms</th><th>p99, ms</th><th>Longest, ms</th>");
  const auto counts = fault_counts(report);
  for (const Measured& each : report.measured) {
    const bool any = each.committed > 0;  // else there is nothing to have a latency
    std::string times;
    std::string words;
    for (const auto& [kind, count] : counts) {
      if (each.when != fault_name(kind)) continue;
      times = number(count);
      words = fault_words(kind);
    }
    out +=
        "<tr><td class=\"t\">" + escape_html(each.when) +
        (words.empty() ? "" : "<br><small>" + escape_html(words) + "</small>") + "</td>" +
        cell(times) + cell(decimal(each.lasted, 1)) + cell(number(each.committed)) +
        cell(decimal(each.lasted > 0 ? static_cast<double>(each.committed) / each.lasted : 0, 1)) +
        cell(any ? decimal(each.p50_ms, 1) : "") + cell(any ? decimal(each.p99_ms, 1) : "") +
        cell(any ? number(static_cast<std::uint64_t>(std::llround(each.longest_ms))) : "") +
        "</tr>\n";
  }
  out +=
      "</table>\n<p class=\"quiet\">Appends that were committed by one attempt while the fault "
      "went on, whichever host they went to.</p>\n";
}

void add_faults(std::string& out, const Report& report) {
  out +=
      "<h2>Faults in order</h2>\n" + begin_table(
                                         "<th>From, s</th><th>To, s</th><th class=\"t\">Fault</th>"
                                         "<th class=\"t\">Of</th>");
  for (const InjectedFault& fault : report.faults) {
    out += "<tr>" + cell(decimal(fault.began, 2)) + cell(decimal(fault.ended, 2)) +
           cell(fault_name(fault.fault.kind), true) + cell(fault.on, true) + "</tr>\n";
  }
  out += "</table>\n";
}

void add_list(std::string& out, const char* title, const std::vector<std::string>& lines) {
  if (lines.empty()) return;
  out += std::string("<h2>") + title + "</h2>\n<ul>\n";
  for (const std::string& line : lines) out += "<li>" + escape_html(line) + "</li>\n";
  out += "</ul>\n";
}

}  // namespace

std::string report_html(const Report& report) {
  std::string out;
  add_head(out, report);
  add_invariants(out, report);
  add_violations(out, report);
  add_plots(out, report);
  add_measures(out, report);
  add_list(out, "Notes", report.notes);
  add_list(out, "What this pair promises", report.guarantees);
  add_list(out, "Plugins", report.plugins);
  out += "<h2>The same faults again</h2>\n<p><code>" + escape_html(report.repeat) + "</code></p>\n";
  add_faults(out, report);
  out += "</body>\n</html>\n";
  return out;
}

}  // namespace vouch::prove
