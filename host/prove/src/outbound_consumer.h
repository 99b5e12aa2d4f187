// OutboundConsumer: takes what goes out on the run's topics of one broker, through a broker object
// of its own that no fault is done to, or from the files that an in-process broker writes. Any
// thread, where it does not say otherwise.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "counts.h"
#include "prove/history.h"
#include "vouch/broker.h"
#include "vouch/status.h"

namespace vouch::prove {

class OutboundConsumer final : private MessageSink, private PublishSink {
 public:
  /// `label` is put in front of topics. `counts` must outlive it.
  OutboundConsumer(std::string label, std::string probe, Counts& counts);
  ~OutboundConsumer();
  OutboundConsumer(const OutboundConsumer&) = delete;
  OutboundConsumer& operator=(const OutboundConsumer&) = delete;

  /// Makes the topics, subscribes, and waits until a message of its own has come back on each.
  /// `broker` is open and outlives this. One thread.
  Status follow(Broker& broker, const std::set<std::string>& topics,
                std::chrono::milliseconds patience);
  /// Takes messages on `topics` from a file of a broker's; lines cut short by a kill are none.
  Status read_tap(const std::string& file, const std::set<std::string>& topics);
  /// No message comes any more. One thread.
  void stop();

  /// Events so far by topic, each once.
  [[nodiscard]] std::uint64_t distinct() const;
  /// In the order in which they came on each topic.
  [[nodiscard]] std::vector<Outbound> messages() const;
  /// How often the broker said that messages may have been missed since `follow` returned.
  [[nodiscard]] std::uint64_t gaps() const;

 private:
  void message(const Message& message) override;
  void gap() override;
  void published(std::size_t index, PublishOutcome outcome, const Status& why) override;
  Status probe_all(Broker& broker, std::chrono::milliseconds patience);
  void take(const std::string& topic, EventSeen event);

  const std::string label_;
  const std::string probe_;
  Counts& counts_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::string> silent_;  ///< topics on which no probe has come back yet
  std::size_t on_the_way_ = 0;
  std::string problem_;  ///< with the last probe
  bool following_ = false;
  std::uint64_t gaps_ = 0;
  std::vector<Outbound> messages_;
  std::set<std::string> distinct_;
  std::vector<std::unique_ptr<Subscription>> subscriptions_;
};

/// The event of an outbound message: structured, or binary with its attributes as headers.
EventSeen outbound_event(std::string_view payload, std::span<const Header> headers);

}  // namespace vouch::prove
