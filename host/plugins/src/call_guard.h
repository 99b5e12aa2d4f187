// CallGuard: what every guarded call shares: its duration, that it is watched while it lasts, what
// happens when the plugin throws, and how a broken contract is reported. [any-thread]
#pragma once

#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "plugins/call_watch.h"
#include "vouch/host_services.h"
#include "vouch/status.h"

namespace vouch::plugins {

class CallGuard {
 public:
  using Patience = CallWatch::Patience;

  /// `metric` is the histogram of durations, labelled {`label`=`name`, op}. `watch` may be null.
  CallGuard(std::string name, std::string metric, std::string label, HostServices& services,
            CallWatch* watch);
  CallGuard(const CallGuard&) = delete;
  CallGuard& operator=(const CallGuard&) = delete;

  /// A call of the contract, with its histogram. The name is a literal.
  struct Operation {
    std::string_view name;
    Histogram& duration;
    Patience patience = Patience::usual;
    std::chrono::milliseconds wait{};  ///< that the caller asked for

    [[nodiscard]] Operation waiting(std::chrono::milliseconds asked_for) const {
      return {name, duration, patience, asked_for};
    }
  };
  [[nodiscard]] Operation operation(std::string_view name, Patience patience = Patience::usual);

  /// Runs `call`. When it throws, reports that and returns what `fallback` makes of the Status
  /// (internal, in words).
  template <typename Call, typename Fallback>
  auto run(const Operation& operation, Call&& call, Fallback&& fallback) -> decltype(call()) {
    const Stopwatch stopwatch(operation.duration);
    const CallWatch::Call watched(watch_, name_, operation.name, stopwatch.start(),
                                  operation.patience, operation.wait);
    return caught(operation.name, std::forward<Call>(call), std::forward<Fallback>(fallback));
  }

  /// The same for calls that only return the Status itself.
  template <typename Call>
  auto run(const Operation& operation, Call&& call) -> decltype(call()) {
    return run(operation, std::forward<Call>(call), [](Status status) { return status; });
  }

  /// As `run`, for calls that no histogram is kept of. The name is a literal.
  template <typename Call, typename Fallback>
  auto unmeasured(std::string_view name, Call&& call, Fallback&& fallback) -> decltype(call()) {
    const CallWatch::Call watched(watch_, name_, name, std::chrono::steady_clock::now());
    return caught(name, std::forward<Call>(call), std::forward<Fallback>(fallback));
  }

  /// Destroys what the plugin gave out, which is a call like any other. A destructor that throws
  /// ends the process, whoever calls it.
  template <typename Object>
  void destroy(std::string_view name, std::unique_ptr<Object>& object) {
    const CallWatch::Call watched(watch_, name_, name, std::chrono::steady_clock::now());
    object.reset();
  }

  /// Logs and counts a broken contract.
  void report(std::string_view call, const std::string& what);
  /// The same, and makes a Status (internal) of it.
  Status violation(std::string_view call, const std::string& what);

  [[nodiscard]] HostServices& services() { return services_; }

 private:
  template <typename Call, typename Fallback>
  auto caught(std::string_view name, Call&& call, Fallback&& fallback) -> decltype(call()) {
    try {
      return call();
    } catch (const std::exception& error) {
      return fallback(violation(name, std::string("threw: ") + error.what()));
    } catch (...) {
      return fallback(violation(name, "threw something that is no std::exception"));
    }
  }

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
    [[nodiscard]] std::chrono::steady_clock::time_point start() const { return start_; }

   private:
    Histogram& histogram_;
    const std::chrono::steady_clock::time_point start_;
  };

  const std::string name_;
  const std::string metric_;
  const std::string label_;
  HostServices& services_;
  CallWatch* const watch_;
};

}  // namespace vouch::plugins
