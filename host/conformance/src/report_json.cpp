// One JSON object with the counts and an array of cases.
#include "format/json_text.h"
#include "report.h"

namespace vouch::conformance {
namespace {

const char* word_of(Ending::Kind kind) {
  switch (kind) {
    case Ending::Kind::passed:
      return "passed";
    case Ending::Kind::failed:
      return "failed";
    case Ending::Kind::skipped:
      return "skipped";
  }
  return "unknown";
}

void member(std::string& out, std::string_view key, std::string_view text) {
  out += out.ends_with('{') ? "" : ",";
  format::append_json_string(out, key);
  out += ':';
  format::append_json_string(out, text);
}

void member(std::string& out, std::string_view key, std::uint64_t number) {
  out += out.ends_with('{') ? "" : ",";
  format::append_json_string(out, key);
  out += ':' + std::to_string(number);
}

void append_check(std::string& out, const Check& check) {
  member(out, "id", check.id);
  member(out, "level", check.level());
  member(out, "promised", check.sentence);
  member(out, "contract", check.contract());
}

std::string case_json(const Result& result) {
  const Ending& ending = result.ending;
  std::string out = "{";
  append_check(out, result.check);
  member(out, "result", word_of(ending.kind));
  member(out, "milliseconds", static_cast<std::uint64_t>(ending.time.count()));
  member(out, "runs", result.runs);
  if (ending.kind == Ending::Kind::skipped) member(out, "reason", ending.reason);
  if (ending.kind != Ending::Kind::failed) return out + "}";
  member(out, "run", result.run);
  member(out, "done", ending.done);
  member(out, "expected", ending.expected);
  member(out, "came_back", ending.came_back);
  out += ",\"log\":[";
  for (const std::string& line : ending.log) {
    if (!out.ends_with('[')) out += ',';
    format::append_json_string(out, line);
  }
  return out + "]}";
}

}  // namespace

std::string list_json(std::span<const ListedCheck> checks) {
  std::string out = "{\"cases\":[";
  for (const ListedCheck& listed : checks) {
    if (!out.ends_with('[')) out += ",\n";
    out += '{';
    append_check(out, listed.check);
    out += ",\"kinds\":[";
    for (const PluginKind kind : listed.kinds) {
      if (!out.ends_with('[')) out += ',';
      format::append_json_string(out, to_string(kind));
    }
    out += "]}";
  }
  return out + "]}\n";
}

std::string report_json(const Report& report) {
  std::string out = "{";
  member(out, "plugin", report.plugin);
  member(out, "kind", report.kind);
  out += std::string(",\"usable\":") + (report.usable ? "true" : "false");
  member(out, "passed", report.count(Ending::Kind::passed));
  member(out, "failed", report.count(Ending::Kind::failed));
  member(out, "skipped", report.count(Ending::Kind::skipped));
  member(out, "milliseconds", static_cast<std::uint64_t>(report.time.count()));
  out += ",\"cases\":[";
  for (const Result& result : report.results) {
    if (!out.ends_with('[')) out += ",\n";
    out += case_json(result);
  }
  return out + "]}\n";
}

}  // namespace vouch::conformance
