// A broker whose publish and other calls do what a test says.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "plugins/guarded_broker.h"
#include "vouch/testkit/test_services.h"

namespace vouch::plugins {

/// Gets the sink as the plugin sees it.
using PublishScript = std::function<Status(std::size_t messages, PublishSink& sink)>;

class ScriptedBroker final : public Broker {
 public:
  ~ScriptedBroker() { called("destroy"); }
  ScriptedBroker() = default;
  ScriptedBroker(const ScriptedBroker&) = delete;
  ScriptedBroker& operator=(const ScriptedBroker&) = delete;

  Status open() override { return fail("open"); }
  void close() override { ignore_status(fail("close"), "it throws"); }
  Health health() override { return {fail("health").ok(), ""}; }
  [[nodiscard]] BrokerCapabilities capabilities() const override {
    ignore_status(fail("capabilities"), "it throws");
    return {};
  }
  [[nodiscard]] std::string guarantees() const override { return fail("guarantees").to_string(); }
  Status ensure(std::span<const TopicSpec>, std::chrono::milliseconds) override {
    return fail("ensure");
  }
  Status publish(std::span<const Message> messages, std::chrono::milliseconds,
                 PublishSink& sink) override {
    return script ? script(messages.size(), sink) : fail("publish");
  }
  Result<std::unique_ptr<Subscription>> subscribe(std::string_view topic, Partition,
                                                  MessageSink&) override {
    if (topic == "none") return std::unique_ptr<Subscription>();
    if (topic == "stop") return std::unique_ptr<Subscription>(std::make_unique<ThrowingStop>());
    if (Status status = fail("subscribe"); !status.ok()) return status;
    return std::unique_ptr<Subscription>(std::make_unique<ToldStop>(*this));
  }
  void* query(std::string_view) override {
    ignore_status(fail("query"), "it throws");
    return nullptr;
  }

  bool throws = false;
  PublishScript script;
  std::function<void(std::string_view call)> on_call;  ///< in each call, before it throws

 private:
  class ThrowingStop final : public Subscription {
   public:
    void stop() override { throw std::runtime_error("thrown on purpose"); }
  };
  class ToldStop final : public Subscription {
   public:
    explicit ToldStop(const ScriptedBroker& broker) : broker_(broker) {}
    ~ToldStop() { broker_.called("destroy subscription"); }
    ToldStop(const ToldStop&) = delete;
    ToldStop& operator=(const ToldStop&) = delete;
    void stop() override { broker_.called("stop"); }

   private:
    const ScriptedBroker& broker_;
  };
  void called(std::string_view call) const {
    if (on_call) on_call(call);
  }
  [[nodiscard]] Status fail(std::string_view call) const {
    called(call);
    if (throws) throw std::runtime_error("thrown on purpose");
    return {};
  }
};

/// Remembers what it heard. [any-thread]
class Heard final : public PublishSink {
 public:
  void published(std::size_t index, PublishOutcome outcome, const Status& why) override {
    const std::lock_guard lock(mutex_);
    heard_.emplace_back(index, outcome);
    reasons_[index] = why.to_string();
  }
  /// "0 acked, 1 unknown" in the order of the calls.
  [[nodiscard]] std::string text() const {
    const std::lock_guard lock(mutex_);
    std::string text;
    for (const auto& [index, outcome] : heard_) {
      const char* const words = outcome == PublishOutcome::acked      ? " acked"
                                : outcome == PublishOutcome::rejected ? " rejected"
                                                                      : " unknown";
      text += (text.empty() ? "" : ", ") + std::to_string(index) + words;
    }
    return text;
  }
  [[nodiscard]] std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return heard_.size();
  }
  [[nodiscard]] std::string why(std::size_t index) const {
    const std::lock_guard lock(mutex_);
    return reasons_.at(index);
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::pair<std::size_t, PublishOutcome>> heard_;
  std::map<std::size_t, std::string> reasons_;
};

struct GuardedScript {
  explicit GuardedScript(PublishScript script = {},
                         std::chrono::milliseconds grace = std::chrono::seconds(60))
      : broker(
            plugin, [](Plugin* object) { delete static_cast<ScriptedBroker*>(object); }, "main",
            services, grace) {
    plugin->script = std::move(script);
  }

  Status publish(std::size_t count, PublishSink& sink,
                 std::chrono::milliseconds deadline = std::chrono::seconds(60)) {
    const std::vector<Message> messages(count, Message{"t", std::nullopt, "k", {}, "x"});
    return broker.publish(messages, deadline, sink);
  }
  [[nodiscard]] double violations() const {
    return services.metric("vouch_plugin_contract_violations_total");
  }

  testkit::TestServices services;
  ScriptedBroker* const plugin = new ScriptedBroker();
  GuardedBroker broker;
};

}  // namespace vouch::plugins
