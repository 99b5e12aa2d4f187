// ConsoleServices: what a host lends to a plugin, for one case: the log goes to standard error line
// by line, so that the last lines are there after a crash; metrics are taken and shown to nobody.
// [any-thread]
#pragma once

#include <memory>

#include "vouch/host_services.h"

namespace vouch::conformance {

class ConsoleServices final : public HostServices {
 public:
  ConsoleServices();
  ~ConsoleServices();

  Logger& logger() override;
  Clock& clock() override;
  Metrics& metrics() override;
  [[nodiscard]] bool stopping() const override { return false; }

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vouch::conformance
