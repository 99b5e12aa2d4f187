// The history of one stream, as lines for people.
#include <algorithm>
#include <cstdio>
#include <utility>

#include "prove/checks.h"

namespace vouch::prove {
namespace {

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

/// The first versions at which something of the stream is wrong come first in what is shown.
void append_events(std::vector<std::string>& lines, const std::string& what,
                   const std::vector<EventSeen>& events) {
  for (const EventSeen& event : events) {
    lines.push_back(what + " version " + std::to_string(event.version) + "  " + event.mark + "  " +
                    event.id);
  }
}

/// The end of a list, and how much of it is left out.
void cut_to(std::vector<std::string>& lines, std::size_t most) {
  if (lines.size() <= most) return;
  const std::size_t out = lines.size() - most;
  lines.erase(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(out));
  lines.insert(lines.begin(), "… " + std::to_string(out) + " earlier ones");
}

}  // namespace

std::vector<std::string> history_of(const History& history, const std::string& stream,
                                    std::size_t most) {
  std::vector<std::pair<Seconds, std::string>> told;
  for (const Append& append : history.appends) {
    if (append.stream != stream) continue;
    for (const Attempt& attempt : append.attempts) {
      told.emplace_back(attempt.began, attempt_line(append, attempt));
    }
  }
  std::ranges::sort(told);
  std::vector<std::string> lines;
  for (auto& [when, line] : told) lines.push_back(std::move(line));
  cut_to(lines, most / 2);

  std::vector<std::string> stored;
  if (const auto found = history.streams.find(stream); found != history.streams.end()) {
    append_events(stored, "stored", found->second);
  }
  cut_to(stored, most / 4);
  std::vector<std::string> out;
  for (const Outbound& message : history.outbound) {
    if (message.event.stream != stream) continue;
    out.push_back("went out on " + message.topic + "  version " +
                  std::to_string(message.event.version) + "  " + message.event.mark);
  }
  cut_to(out, most / 4);
  lines.insert(lines.end(), stored.begin(), stored.end());
  lines.insert(lines.end(), out.begin(), out.end());
  return lines;
}

}  // namespace vouch::prove
