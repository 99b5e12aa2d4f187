// JUnit XML as Jenkins and GitLab read it: one suite for each level.
#include <cstdint>
#include <cstdio>

#include "format/json_text.h"
#include "report.h"

namespace vouch::conformance {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

/// Length of the well-formed UTF-8 character that `text` begins with; 0 if there is none.
std::size_t character(std::string_view text) {
  for (std::size_t length = 1; length <= 4 && length <= text.size(); ++length) {
    if (format::is_utf8(text.substr(0, length))) return length;
  }
  return 0;
}

/// XML 1.0 section 2.2 allows no control characters but these, however they are written.
bool is_forbidden(char c) {
  return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r';
}

std::string escaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = character(text);
    const char first = text.front();
    // U+FFFE and U+FFFF are not characters of XML.
    const bool no_character =
        length == 3 && (text.starts_with("\xEF\xBF\xBE") || text.starts_with("\xEF\xBF\xBF"));
    if (length == 0 || is_forbidden(first) || no_character) {
      out += kReplacement;
    } else if (first == '&') {
      out += "&amp;";
    } else if (first == '<') {
      out += "&lt;";
    } else if (first == '>') {
      out += "&gt;";
    } else if (first == '"') {
      out += "&quot;";
    } else if (first == '\n' || first == '\r' || first == '\t') {
      out += "&#" + std::to_string(static_cast<int>(first)) + ";";
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

std::string seconds(std::chrono::milliseconds time) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", static_cast<double>(time.count()) / 1000.0);
  return text;
}

std::string failure(const Result& result) {
  const Ending& ending = result.ending;
  std::string details = "promised: " + result.check.sentence +
                        "\ncontract: " + result.check.contract() + "\ndone: " + ending.done +
                        "\nexpected: " + ending.expected + "\ncame back: " + ending.came_back;
  if (result.runs > 1) {
    details += "\nin run: " + std::to_string(result.run) + " of " + std::to_string(result.runs);
  }
  return "      <failure message=\"" +
         escaped(ending.done + ": expected " + ending.expected + ", came back " +
                 ending.came_back) +
         "\">" + escaped(details) + "</failure>\n";
}

std::string log(const Ending& ending) {
  if (ending.log.empty()) return {};
  std::string lines;
  for (const std::string& line : ending.log) lines += line + "\n";
  return "      <system-out>" + escaped(lines) + "</system-out>\n";
}

std::string test_case(const Report& report, const Result& result) {
  const Ending& ending = result.ending;
  std::string out = "    <testcase classname=\"" +
                    escaped(report.kind + "." + std::string(result.check.level())) + "\" name=\"" +
                    escaped(result.check.id) + "\" time=\"" + seconds(ending.time) + "\"";
  if (ending.kind == Ending::Kind::passed) return out + "/>\n";
  out += ">\n";
  if (ending.kind == Ending::Kind::skipped) {
    out += "      <skipped message=\"" + escaped(ending.reason) + "\"/>\n";
  } else {
    out += failure(result) + log(ending);
  }
  return out + "    </testcase>\n";
}

std::string counts(const Report& report) {
  return " tests=\"" + std::to_string(report.results.size()) + "\" failures=\"" +
         std::to_string(report.count(Ending::Kind::failed)) + "\" errors=\"0\" skipped=\"" +
         std::to_string(report.count(Ending::Kind::skipped)) + "\" time=\"" + seconds(report.time) +
         "\"";
}

/// Those of one level, with their own counts and time.
Report part_of(const Report& report, std::string_view level) {
  Report part{report.plugin, report.kind, report.usable, {}, std::chrono::milliseconds(0)};
  for (const Result& result : report.results) {
    if (result.check.level() != level) continue;
    part.results.push_back(result);
    part.time += result.ending.time;
  }
  return part;
}

}  // namespace

std::string junit_xml(const Report& report) {
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"" +
                    escaped(report.plugin) + "\"" + counts(report) + ">\n";
  for (const std::string_view level : {"binary", "settings", "lifecycle", "semantics", "faults"}) {
    const Report part = part_of(report, level);
    if (part.results.empty()) continue;
    out += "  <testsuite name=\"" + std::string(level) + "\"" + counts(part) + ">\n";
    for (const Result& result : part.results) out += test_case(report, result);
    out += "  </testsuite>\n";
  }
  return out + "</testsuites>\n";
}

}  // namespace vouch::conformance
