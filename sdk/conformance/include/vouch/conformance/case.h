// How a conformance case ends: it returns (passed), throws ConformanceFailure (the implementation
// breaks the contract) or throws CaseSkipped (the implementation does not claim the ability).
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace vouch::conformance {

/// "appended twice with one key: expected duplicate, came back staged"
class ConformanceFailure : public std::runtime_error {
 public:
  ConformanceFailure(std::string_view done, std::string_view expected, std::string_view came_back)
      : std::runtime_error(std::string(done) + ": expected " + std::string(expected) +
                           ", came back " + std::string(came_back)),
        done_(done),
        expected_(expected),
        came_back_(came_back) {}

  [[nodiscard]] const std::string& done() const { return done_; }
  [[nodiscard]] const std::string& expected() const { return expected_; }
  [[nodiscard]] const std::string& came_back() const { return came_back_; }

 private:
  std::string done_;
  std::string expected_;
  std::string came_back_;
};

/// Says which ability is missing. Only declared capabilities and fixtures are reasons to skip.
class CaseSkipped : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace vouch::conformance
