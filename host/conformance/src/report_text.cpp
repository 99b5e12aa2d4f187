#include <algorithm>
#include <cstdio>

#include "report.h"

namespace vouch::conformance {
namespace {

const char* word_of(Ending::Kind kind) {
  switch (kind) {
    case Ending::Kind::passed:
      return "passed ";
    case Ending::Kind::failed:
      return "FAILED ";
    case Ending::Kind::skipped:
      return "skipped";
  }
  return "unknown";
}

std::string seconds(std::chrono::milliseconds time) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f s", static_cast<double>(time.count()) / 1000.0);
  return text;
}

/// As a cell of a list, with a space behind it.
std::string padded(std::string_view text, std::size_t width) {
  std::string cell(text);
  cell.resize(std::max(cell.size(), width), ' ');
  return cell + ' ';
}

/// Text of a plugin as one that a terminal shows as it is.
std::string printable(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    out += control && c != '\t' ? '?' : c;
  }
  return out;
}

}  // namespace

std::size_t Report::count(Ending::Kind wanted) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      results, [wanted](const Result& result) { return result.ending.kind == wanted; }));
}

std::string list_text(std::span<const ListedCheck> checks) {
  std::string out;
  for (const ListedCheck& listed : checks) {
    const std::string contract = listed.check.contract();
    out += padded(listed.check.id, 50) + padded(listed.check.level(), 9) +
           padded(contract.substr(contract.find('#')), 20) + listed.check.sentence + "\n";
  }
  return out;
}

std::string text_of(const Result& result) {
  const Ending& ending = result.ending;
  std::string out = std::string(word_of(ending.kind)) + " " + result.check.id;
  if (ending.kind == Ending::Kind::skipped) return out + ": " + printable(ending.reason) + "\n";
  const bool repeated = result.runs > 1 && ending.kind == Ending::Kind::passed;
  out += repeated ? " (" + std::to_string(result.runs) + " runs, " : " (";
  out += seconds(ending.time) + ")\n";
  if (ending.kind != Ending::Kind::failed) return out;
  if (result.runs > 1) {
    out += "    in run:    " + std::to_string(result.run) + " of " + std::to_string(result.runs) +
           "\n";
  }
  out += "    promised:  " + result.check.sentence + "\n";
  out += "    contract:  " + result.check.contract() + "\n";
  out += "    done:      " + printable(ending.done) + "\n";
  out += "    expected:  " + printable(ending.expected) + "\n";
  out += "    came back: " + printable(ending.came_back) + "\n";
  if (ending.log.empty()) return out;
  out += "    last lines of its log:\n";
  for (const std::string& line : ending.log) out += "      " + printable(line) + "\n";
  return out;
}

std::string summary_text(const Report& report) {
  if (!report.usable) {
    const bool loads = !report.results.empty() && report.results.back().check.id == kOpens;
    return report.plugin + (loads ? " does not open; nothing that needs it open was run\n"
                                  : " can't be used; nothing else was run\n");
  }
  return report.plugin + ": " + std::to_string(report.count(Ending::Kind::passed)) + " passed, " +
         std::to_string(report.count(Ending::Kind::failed)) + " failed, " +
         std::to_string(report.count(Ending::Kind::skipped)) + " skipped in " +
         seconds(report.time) + "\n";
}

}  // namespace vouch::conformance
