// CheckReport collects what the checks of one invariant looked at and found. One thread.
#pragma once

#include <string>
#include <utility>

#include "prove/checks.h"

namespace vouch::prove {

class CheckReport {
 public:
  explicit CheckReport(Finding& finding) : finding_(finding) {}

  /// Another single fact was looked at.
  void checked(std::uint64_t facts = 1) { finding_.checked += facts; }
  void violated(const EventSeen& at, std::string words) {
    add({finding_.invariant, at.stream, at.version, at.mark, std::move(words)});
  }
  void violated(const Append& append, std::string words) {
    const auto committed = append.committed();
    add({finding_.invariant, append.stream, committed.empty() ? 0 : committed[0]->first_version,
         append.marks.empty() ? "" : append.marks[0], std::move(words)});
  }
  void violated(const std::string& stream, std::uint64_t version, std::string words) {
    add({finding_.invariant, stream, version, {}, std::move(words)});
  }

 private:
  void add(Violation violation) { finding_.violations.push_back(std::move(violation)); }

  Finding& finding_;
};

/// The checks, by invariant.
void no_phantom(const History& history, CheckReport& report);
void no_loss(const History& history, CheckReport& report);
void order(const History& history, CheckReport& report);
void definite_answers(const History& history, CheckReport& report);
void versions(const History& history, CheckReport& report);
void safe_retries(const History& history, CheckReport& report);
void readers_skip_nothing(const History& history, CheckReport& report);

}  // namespace vouch::prove
