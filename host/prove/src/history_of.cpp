// The history of one stream, as lines for people.
#include <algorithm>
#include <cstdio>
#include <utility>

#include "prove/checks.h"

namespace vouch::prove {
namespace {

constexpr std::size_t kMostLines = 40;

std::string at(Seconds time) {
  char text[32];
  std::snprintf(text, sizeof text, "%9.3f s  ", time);
  return text;
}

std::string attempt_line(const Append& append, const Attempt& attempt) {
  std::string line = at(attempt.began) + "append of " + append.marks.front();
  if (append.marks.size() > 1) line += " … " + append.marks.back();
  line += ", expecting " + append.expected.text();
  if (!append.key.empty()) line += ", key " + append.key;
  if (!append.ids.empty()) line += ", with ids";
  line += ": ";
  if (attempt.status == 0) return line + "no answer until " + at(attempt.ended);
  line += std::to_string(attempt.status);
  if (attempt.outcome == Outcome::committed) {
    line += ", from version " + std::to_string(attempt.first_version);
    if (attempt.replayed) line += ", replayed";
  }
  if (attempt.actual) line += ", actual " + std::to_string(*attempt.actual);
  return line;
}

/// The versions that are shown around a place.
struct Window {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  [[nodiscard]] bool holds(std::uint64_t version) const {
    return first <= version && version <= last;
  }
  [[nodiscard]] bool meets(std::uint64_t begin, std::uint64_t end) const {
    return begin <= last && first <= end;
  }
};

bool belongs(const Append& append, const Violation& violation, const Window& window) {
  if (append.stream != violation.stream) return false;
  if (std::ranges::find(append.marks, violation.mark) != append.marks.end()) return true;
  for (const Attempt* attempt : append.committed()) {
    if (window.meets(attempt->first_version, attempt->first_version + append.marks.size() - 1)) {
      return true;
    }
  }
  return false;
}

std::vector<std::string> told(const History& history, const Violation& violation,
                              const Window& window) {
  std::vector<std::pair<Seconds, std::string>> found;
  for (const Append& append : history.appends) {
    if (!belongs(append, violation, window)) continue;
    for (const Attempt& attempt : append.attempts) {
      found.emplace_back(attempt.began, attempt_line(append, attempt));
    }
  }
  std::ranges::sort(found);
  std::vector<std::string> lines;
  for (auto& [when, line] : found) lines.push_back(std::move(line));
  return lines;
}

std::string version_words(const EventSeen& event) {
  return "version " + std::to_string(event.version) + "  " + event.mark + "  " + event.id;
}

}  // namespace

std::vector<std::string> history_of(const History& history, const Violation& violation) {
  constexpr std::uint64_t kAround = 2;
  Window window;
  const auto stored = history.streams.find(violation.stream);
  std::uint64_t version = violation.version;
  if (version == 0 && stored != history.streams.end()) version = stored->second.size();
  window.first = version > kAround ? version - kAround : 1;
  window.last = version + kAround;

  std::vector<std::string> lines = told(history, violation, window);
  const auto shown = [&](const EventSeen& event) {
    return event.stream == violation.stream &&
           (window.holds(event.version) ||
            (!violation.mark.empty() && event.mark == violation.mark));
  };
  if (stored != history.streams.end()) {
    for (const EventSeen& event : stored->second) {
      if (shown(event)) lines.push_back("stored " + version_words(event));
    }
  }
  for (const Outbound& message : history.outbound) {
    if (!shown(message.event)) continue;
    lines.push_back("went out on " + message.topic + "  " + version_words(message.event));
  }
  if (lines.size() > kMostLines) {
    const std::size_t more = lines.size() - kMostLines;
    lines.resize(kMostLines);
    lines.push_back("… and " + std::to_string(more) + " more");
  }
  return lines;
}

}  // namespace vouch::prove
