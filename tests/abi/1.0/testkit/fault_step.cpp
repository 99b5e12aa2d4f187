#include "fault_step.h"

#include <stdexcept>

namespace vouch::testkit {

void throw_on_purpose(Step step) {
  throw std::runtime_error("told to throw at " + std::string(to_string(step)));
}

Status told_to_fail(Step step) {
  return {StatusCode::unavailable, "told to fail at " + std::string(to_string(step))};
}

Status pass_step(Faults& faults, Step step) {
  const Fault fault = faults.pass(step);
  if (fault == Fault::throw_exception) throw_on_purpose(step);
  if (fault == Fault::fail) return told_to_fail(step);
  return {};
}

}  // namespace vouch::testkit
