// What the broker cases are written with: a sink that remembers outcomes, one that remembers
// messages, and publishes of plain messages. Sinks are [any-thread].
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "case_threads.h"
#include "expect.h"
#include "vouch/conformance/broker_suite.h"

namespace vouch::conformance {

inline constexpr std::chrono::milliseconds kPatience{10'000};
/// How long a case waits for what must not come.
inline constexpr std::chrono::milliseconds kQuiet{150};

/// A message that owns its bytes.
struct Letter {
  std::string topic;
  std::optional<Partition> partition;
  std::string key;
  std::string payload;
  std::vector<std::pair<std::string, std::string>> headers;
};

class Outcomes final : public PublishSink {
 public:
  /// Lives until the process ends: a broker that breaks the contract may speak after its case.
  static Outcomes& make(std::size_t messages);

  explicit Outcomes(std::size_t messages) : outcomes_(messages), why_(messages) {}
  void published(std::size_t index, PublishOutcome outcome, const Status& why) override;
  /// Waits until every message has an outcome; fails when one has two or none in time.
  std::vector<PublishOutcome> all(std::chrono::milliseconds limit = kPatience);
  [[nodiscard]] std::size_t heard() const;
  /// Of a message that has an outcome.
  [[nodiscard]] Status why(std::size_t index) const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::optional<PublishOutcome>> outcomes_;
  std::vector<Status> why_;
  std::size_t heard_ = 0;
  bool twice_ = false;
};

class Inbox final : public MessageSink {
 public:
  void message(const Message& message) override;
  void gap() override;
  /// Waits for that many messages; fails when they do not come.
  std::vector<Letter> wait(std::size_t count, std::chrono::milliseconds limit = kPatience);
  [[nodiscard]] std::vector<Letter> received() const;
  bool wait_gap(std::chrono::milliseconds limit = kPatience);
  /// The sink's next call takes this long.
  void be_slow(std::chrono::milliseconds pause);
  /// Ends that pause.
  void wake();
  [[nodiscard]] bool busy() const;
  /// Whether a probe arrived; see `subscribe`.
  [[nodiscard]] bool alive() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Letter> received_;
  std::size_t gaps_ = 0;
  std::chrono::milliseconds pause_{0};
  bool woken_ = false;
  bool busy_ = false;
  bool alive_ = false;
};

/// Publishes in one call.
Status publish(Broker& broker, const std::vector<Letter>& letters, PublishSink& sink,
               std::chrono::milliseconds deadline = kPatience);
/// Publishes in one call; each must be acked.
void publish_acked(Broker& broker, const std::vector<Letter>& letters);
/// Subscribes and publishes probes, which inboxes do not keep, until one arrives: a broker
/// subscribes when the connection comes, and a message before that is not promised.
std::unique_ptr<Subscription> subscribe(Broker& broker, const std::string& topic,
                                        Partition partition, Inbox& inbox);
/// A topic with that many partitions, made ready.
std::string ready_topic(BrokerUnderTest& under_test, const std::string& name,
                        std::uint32_t partitions = 1);
/// The cases of broker_fault_cases.cpp.
std::span<const BrokerCase> broker_fault_cases();

std::vector<std::string> payloads_of(const std::vector<Letter>& letters);
/// The number of a payload such as "key:17"; fails when it is none that a case published.
int number_of(const Letter& letter);

}  // namespace vouch::conformance
