// Faults: what the in-memory storage and broker are told to do wrong, step by step, and the record
// of the steps in the order in which they happened. A test arms a fault for a step; the fake asks
// at each step what to do. Deterministic: no clock, no randomness of its own. [any-thread]
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace vouch::testkit {

/// Steps, in the order in which an event passes them.
enum class Step : std::uint8_t {
  stage,               ///< storage: events and ledger rows into the open transaction
  publish_validation,  ///< broker: publish on the validation topic
  deliver_validation,  ///< broker: hand a validation message to its subscriber
  commit,              ///< storage
  rollback,            ///< storage
  resolve,             ///< storage
  ready,               ///< storage: load what must be delivered
  publish_outbound,    ///< broker: publish on any other topic
  complete,            ///< storage: mark delivered
  read,                ///< storage: any call of Reader
  claim,               ///< storage
  dead_letter,         ///< storage: keep, change or remove a dead letter
  erase,               ///< storage: erase events
};

std::string_view to_string(Step step);

/// What happens instead of the step. Which faults make sense at a step is said at the fake.
enum class Fault : std::uint8_t {
  none,
  fail,   ///< the step reports an error and does nothing
  stall,  ///< the step waits until `Faults::release`, then goes on
  lose,   ///< reported as done, and not done (a message; the answer of a commit: done, unknown)
  lose_and_fail,   ///< done or not as for `lose`, and reported as unknown (commit: not done,
                   ///< unknown)
  duplicate,       ///< done twice (a message)
  reorder,         ///< done after the next one (a message)
  reject,          ///< refused for good (a publish)
  throw_exception  ///< breaks the contract on purpose
};

class Faults {
 public:
  /// The next `times` passes of `step` get `fault`, after `skip` passes without.
  void arm(Step step, Fault fault, std::uint32_t times = 1, std::uint32_t skip = 0);

  /// Asked for each pass that has no armed fault; for random tests. Called under no lock.
  void decide(std::function<Fault(Step)> decider);

  /// Disarms everything and lets stalled steps go on.
  void clear();
  /// Lets stalled steps go on.
  void release();
  /// Waits until a step stalls (or has stalled already); false after `limit`.
  bool wait_stalled(Step step, std::chrono::milliseconds limit = std::chrono::seconds(5));

  /// The steps so far: "stage", "publish_validation", … with `detail` behind a space if any.
  [[nodiscard]] std::vector<std::string> record() const;
  void clear_record();

  /// Used by the fakes: notes the step, takes the fault, waits if it is a stall (then returns
  /// none).
  Fault pass(Step step, std::string_view detail = {});

  /// A fault and, of a stall, what to ask `released` for.
  struct Taken {
    Fault fault = Fault::none;
    std::uint64_t ticket = 0;
  };
  /// As `pass`, but never waits: a stall is returned. For fakes that must not block their caller.
  Taken take(Step step, std::string_view detail = {});
  /// Whether the stall that `taken` speaks of was let go on.
  [[nodiscard]] bool released(const Taken& taken) const;

 private:
  struct Armed {
    Fault fault;
    std::uint32_t times;
    std::uint32_t skip;
  };
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Step, std::deque<Armed>> armed_;
  std::map<Step, std::uint32_t> stalled_;
  std::uint64_t releases_ = 0;
  std::function<Fault(Step)> decider_;
  std::vector<std::string> record_;
};

}  // namespace vouch::testkit
