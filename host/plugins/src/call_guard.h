// CallGuard: what every guarded call shares: its duration, what happens when the plugin throws, and
// how a broken contract is reported. [any-thread]
#pragma once

#include <chrono>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include "vouch/host_services.h"
#include "vouch/status.h"

namespace vouch::plugins {

class CallGuard {
 public:
  /// `metric` is the histogram of durations, labelled {`label`=`name`, op}.
  CallGuard(std::string name, std::string metric, std::string label, HostServices& services);
  CallGuard(const CallGuard&) = delete;
  CallGuard& operator=(const CallGuard&) = delete;

  /// A call of the contract, with its histogram. The name is a literal.
  struct Operation {
    std::string_view name;
    Histogram& duration;
  };
  [[nodiscard]] Operation operation(std::string_view name);

  /// Runs `call`. When it throws, reports that and returns what `fallback` makes of the Status
  /// (internal, in words).
  template <typename Call, typename Fallback>
  auto run(const Operation& operation, Call&& call, Fallback&& fallback) -> decltype(call()) {
    const Stopwatch stopwatch(operation.duration);
    return unmeasured(operation.name, std::forward<Call>(call), std::forward<Fallback>(fallback));
  }

  /// The same for calls that only return the Status itself.
  template <typename Call>
  auto run(const Operation& operation, Call&& call) -> decltype(call()) {
    return run(operation, std::forward<Call>(call), [](Status status) { return status; });
  }

  template <typename Call, typename Fallback>
  auto unmeasured(std::string_view name, Call&& call, Fallback&& fallback) -> decltype(call()) {
    try {
      return call();
    } catch (const std::exception& error) {
      return fallback(violation(name, std::string("threw: ") + error.what()));
    } catch (...) {
      return fallback(violation(name, "threw something that is no std::exception"));
    }
  }

  /// Logs and counts a broken contract.
  void report(std::string_view call, const std::string& what);
  /// The same, and makes a Status (internal) of it.
  Status violation(std::string_view call, const std::string& what);

  [[nodiscard]] HostServices& services() { return services_; }

 private:
  class Stopwatch {
   public:
    explicit Stopwatch(Histogram& histogram)
        : histogram_(histogram), start_(std::chrono::steady_clock::now()) {}
    ~Stopwatch() {
      const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start_;
      histogram_.observe(passed.count());
    }
    Stopwatch(const Stopwatch&) = delete;
    Stopwatch& operator=(const Stopwatch&) = delete;

   private:
    Histogram& histogram_;
    const std::chrono::steady_clock::time_point start_;
  };

  const std::string name_;
  const std::string metric_;
  const std::string label_;
  HostServices& services_;
};

}  // namespace vouch::plugins
