// SignalBook: validation messages that arrived, until it is known what became of their
// transactions. What this host's own lanes tell is remembered for a while, so that most signals are
// settled without asking the database; all others become questions for it, asked again with growing
// pauses while the answer is "in progress". Forgetting a signal is never a loss: the sweep reads
// the ledger.
//
// `add`, `ended`, `wake`: [any-thread]. The rest: the saga's thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <span>
#include <vector>

#include "format/validation_message.h"
#include "vouch/storage.h"

namespace vouch::saga {

/// A signal whose transaction is over.
struct SettledSignal {
  DeliveryId delivery;
  Token token;
  Verdict verdict = Verdict::committed;  ///< never in_progress
};

class SignalBook {
 public:
  using Time = std::chrono::steady_clock::time_point;

  void add(const format::ValidationMessage& message);
  void ended(const Token& token, bool committed);

  /// Ends the current or next `wait`.
  void wake();

  /// Waits until a signal is settled, a question is due, somebody called `wake`, or `until`.
  void wait(Time until);
  /// Waits until somebody called `wake`, or `until`: for a time in which signals are no use.
  void wait_woken(Time until);

  std::vector<SettledSignal> take_settled();

  /// Tokens to ask the database about now; each must be given back by `answer` or `postpone`.
  std::vector<Token> take_questions(Time now);
  void answer(std::span<const Token> tokens, std::span<const Verdict> verdicts, Time now);
  /// The database can't be asked now.
  void postpone(std::span<const Token> tokens, Time until);

  /// Whether a signal of that transaction is here and not settled.
  [[nodiscard]] bool waits_for(const Token& token) const;

 private:
  struct Waiting {
    std::vector<DeliveryId> deliveries;
    Time ask_at;
    std::chrono::milliseconds pause{0};
  };

  void settle(const Token& token, Waiting& waiting, Verdict verdict);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
  Time asleep_until_{};  ///< what the saga's thread waits for; past: it does not wait
  std::map<Token, Waiting> waiting_;
  std::vector<SettledSignal> settled_;
  std::map<Token, bool> own_;  ///< how transactions of this host ended, the newest ones
  std::deque<Token> own_order_;
};

}  // namespace vouch::saga
