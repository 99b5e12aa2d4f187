// TestServices: HostServices for tests: a logger that remembers its lines, real or hand-moved
// clock, metrics that can be asked. [any-thread]
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "vouch/host_services.h"
#include "vouch/values/setting_values.h"

namespace vouch::testkit {

class TestServices final : public HostServices {
 public:
  TestServices();
  ~TestServices();

  Logger& logger() override;
  Clock& clock() override;
  Metrics& metrics() override;
  [[nodiscard]] bool stopping() const override;

  void set_stopping(bool stopping);
  /// From now on the wall clock stands at `time` until it is set again. The steady clock stays
  /// real.
  void set_now(Timestamp time);
  /// "warning: message key=value …"
  [[nodiscard]] std::vector<std::string> log_lines() const;
  /// Value of a counter or gauge, summed over its labels; a histogram's count. 0 if there is none.
  [[nodiscard]] double metric(const std::string& name) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// Settings for a plugin under test: texts by key, checked against the table; throws
/// std::invalid_argument with every problem.
values::SettingValues make_settings(std::span<const SettingSpec> table,
                                    std::vector<values::GivenSetting> given);

}  // namespace vouch::testkit
