// Outcomes and payloads, as failures show them.
#include "expect.h"

#include <algorithm>
#include <cstdio>

namespace vouch::conformance {
namespace {

std::string byte(char value) {
  char text[8];
  std::snprintf(text, sizeof text, "0x%02x", static_cast<unsigned char>(value));
  return text;
}

std::string bytes(std::size_t count) {
  return count == 0 ? "no bytes" : std::to_string(count) + (count == 1 ? " byte" : " bytes");
}

}  // namespace

void expect_bytes(std::string_view done, std::string_view expected, std::string_view came_back) {
  if (expected == came_back) return;
  const auto [wanted, got] = std::ranges::mismatch(expected, came_back);
  std::string difference = ", which begin as expected";
  if (came_back.empty()) difference.clear();
  if (wanted != expected.end() && got != came_back.end()) {
    difference = ", of which byte " + std::to_string(wanted - expected.begin()) + " is " +
                 byte(*got) + " instead of " + byte(*wanted);
  }
  throw ConformanceFailure(done, bytes(expected.size()), bytes(came_back.size()) + difference);
}

std::string describe(StageOutcome outcome) {
  switch (outcome) {
    case StageOutcome::staged:
      return "staged";
    case StageOutcome::wrong_version:
      return "wrong_version";
    case StageOutcome::duplicate:
      return "duplicate";
    case StageOutcome::key_reused:
      return "key_reused";
    case StageOutcome::id_reused:
      return "id_reused";
    case StageOutcome::lost_race:
      return "lost_race";
  }
  return "no known outcome";
}

std::string describe(CommitOutcome outcome) {
  switch (outcome) {
    case CommitOutcome::committed:
      return "committed";
    case CommitOutcome::aborted:
      return "aborted";
    case CommitOutcome::unknown:
      return "unknown";
  }
  return "no known outcome";
}

std::string describe(Verdict verdict) {
  switch (verdict) {
    case Verdict::committed:
      return "committed";
    case Verdict::in_progress:
      return "in_progress";
    case Verdict::aborted:
      return "aborted";
    case Verdict::forgotten:
      return "forgotten";
  }
  return "no known verdict";
}

std::string describe(PublishOutcome outcome) {
  switch (outcome) {
    case PublishOutcome::acked:
      return "acked";
    case PublishOutcome::rejected:
      return "rejected";
    case PublishOutcome::unknown:
      return "unknown";
  }
  return "no known outcome";
}

}  // namespace vouch::conformance
