// FileBroker: topics in append-only files of a directory, for processes of one machine. Thread tags
// as in vouch/broker.h.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "options.h"
#include "tailer.h"
#include "topics.h"
#include "vouch/broker.h"
#include "vouch/host_services.h"
#include "writer.h"

namespace broker_files {

class FileBroker final : public vouch::Broker {
 public:
  FileBroker(Options options, vouch::HostServices& services);
  ~FileBroker();

  vouch::Status open() override;
  void close() override;
  vouch::Health health() override;
  [[nodiscard]] vouch::BrokerCapabilities capabilities() const override;
  [[nodiscard]] std::string guarantees() const override;
  vouch::Status ensure(std::span<const vouch::TopicSpec> topics,
                       std::chrono::milliseconds wait) override;
  vouch::Status publish(std::span<const vouch::Message> messages,
                        std::chrono::milliseconds deadline, vouch::PublishSink& sink) override;
  vouch::Result<std::unique_ptr<vouch::Subscription>> subscribe(std::string_view topic,
                                                                vouch::Partition partition,
                                                                vouch::MessageSink& sink) override;
  void* query(std::string_view interface_id) override;

 private:
  class FileSubscription;

  /// The file that the message belongs into; not ok: it is refused for good (invalid_argument,
  /// too_large), or can't be taken now (unavailable).
  vouch::Result<std::string> file_of(const vouch::Message& message);

  const Options options_;
  Topics topics_;
  Tailer tailer_;
  Writer writer_;
  std::atomic<bool> open_{false};
};

}  // namespace broker_files
