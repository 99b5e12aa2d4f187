// Names of outcomes, as failures show them.
#include "expect.h"

namespace vouch::conformance {

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
