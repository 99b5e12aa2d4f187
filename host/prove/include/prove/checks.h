// Judges a run: history in, findings out. Knows the promise, and nothing about storage, broker or
// how the run was made. One function for each invariant, numbered as in docs/architecture.md.
// Pure, any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "prove/history.h"

namespace vouch::prove {

inline constexpr std::size_t kInvariants = 7;

struct Violation {
  int invariant = 0;          ///< 1 to 7
  std::string stream;         ///< that it was seen in
  std::uint64_t version = 0;  ///< where in the stream; 0: not at one place
  std::string mark;           ///< of the event, or of an append's first one; may be empty
  std::string words;
};

/// What was looked at for one invariant, and what was wrong.
struct Finding {
  int invariant = 0;
  const char* name = "";
  const char* promise = "";   ///< in one sentence
  std::uint64_t checked = 0;  ///< single facts that could have been wrong
  const char* unit = "";      ///< of `checked`
  std::vector<Violation> violations;
};

struct Findings {
  std::array<Finding, kInvariants> all;
  [[nodiscard]] std::size_t violated() const;
};

Findings judge(const History& history);

/// What belongs to a violation: the appends around its place in the stream with their answers, in
/// order of time, then what is stored there and what went out. Few lines.
std::vector<std::string> history_of(const History& history, const Violation& violation);

}  // namespace vouch::prove
