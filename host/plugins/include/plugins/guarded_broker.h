// GuardedBroker: a broker plugin's object as the rest of the host sees it; see guarded_storage.h.
// Also holds the plugin to "exactly once" for each publish outcome: a second call for one message
// is reported and dropped, and after `deadline` and a grace period what was never reported is
// `unknown`. What a PublishSink throws is logged and goes no further; a MessageSink is lent to the
// plugin as it is and must not throw.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "plugins/call_watch.h"
#include "vouch/broker.h"
#include "vouch/host_services.h"
#include "vouch/plugin.h"

namespace vouch::plugins {

class GuardedBroker final : public Broker {
 public:
  static constexpr std::chrono::milliseconds kGrace{2'000};

  /// Takes ownership of `broker`; `destroy` frees it. `name` (of the configuration) labels metrics.
  /// `watch` as for GuardedStorage.
  GuardedBroker(Broker* broker, void (*destroy)(Plugin*), std::string name, HostServices& services,
                std::chrono::milliseconds grace = kGrace, CallWatch* watch = nullptr);
  ~GuardedBroker();

  Status open() override;
  void close() override;
  Health health() override;
  [[nodiscard]] BrokerCapabilities capabilities() const override;
  [[nodiscard]] std::string guarantees() const override;
  Status ensure(std::span<const TopicSpec> topics, std::chrono::milliseconds wait) override;
  Status publish(std::span<const Message> messages, std::chrono::milliseconds deadline,
                 PublishSink& sink) override;
  Result<std::unique_ptr<Subscription>> subscribe(std::string_view topic, Partition partition,
                                                  MessageSink& sink) override;
  void* query(std::string_view interface_id) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vouch::plugins
