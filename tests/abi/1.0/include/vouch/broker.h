// The broker contract. A Broker is a thread-safe object. Messages on the validation topic are only
// signals (the ledger in the database is the truth), so any publish/subscribe system can be a
// broker; what the outbound side needs of it is an honest acknowledgement.
//
// Thread tags as in storage.h; [plugin-thread] is a thread that the plugin runs.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "vouch/plugin_base.h"
#include "vouch/types.h"

namespace vouch {

struct Header {
  std::string_view name;
  std::string_view value;
};

/// A message on its way in or out. All views are lent for the duration of the call.
struct Message {
  std::string_view topic;
  std::optional<Partition> partition;  ///< of the topic; none: chosen by `key`
  std::string_view key;                ///< the unit of order; the stream's name on outbound topics
  /// "content-type" is the payload's media type. The others are attributes of a CloudEvent in
  /// binary mode by their plain names; a plugin writes them as its protocol's binding says (Kafka:
  /// with "ce_" in front).
  std::span<const Header> headers;
  std::string_view payload;
};

enum class PublishOutcome : std::uint8_t {
  acked = 0,     ///< the broker's strongest acknowledgement
  rejected = 1,  ///< for good, and certainly not taken: too large, not authorised, bad topic
  unknown = 2,   ///< deadline passed, connection lost: the broker may or may not have it
};

/// Hears what became of each message of one `publish`.
class PublishSink {
 public:
  /// Called exactly once for each message, in any order, from any thread, also from inside
  /// `publish`. `index` is the message's place in the span. Returns quickly; must not publish.
  virtual void published(std::size_t index, PublishOutcome outcome, const Status& why) = 0;

 protected:
  ~PublishSink() = default;
};

/// Takes the messages of one subscription.
class MessageSink {
 public:
  /// [plugin-thread], one call at a time for each subscription. Returns quickly, never blocks.
  virtual void message(const Message& message) = 0;
  /// Messages may have been missed (reconnected, overflowed). [plugin-thread]
  virtual void gap() = 0;

 protected:
  ~MessageSink() = default;
};

class Subscription {
 public:
  Subscription() = default;
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;
  /// Stops, if that was not done.
  virtual ~Subscription() = default;
  /// After it returned, the sink is not called any more. Idempotent. Not from within the sink.
  virtual void stop() = 0;
};

struct TopicSpec {
  std::string name;
  std::uint32_t partitions = 1;  ///< at least so many
};

/// Differences between brokers that the host must know of. Never branch on a plugin's name.
struct BrokerCapabilities {
  bool survives_crash = false;  ///< acknowledged messages outlive a crash of the broker
  bool several_hosts = false;   ///< a message reaches subscribers in other processes
  bool headers = false;         ///< `Message::headers` arrive (else the payload must say all)
  bool ordered_by_key = false;  ///< messages of one key are delivered in the order published
  std::uint64_t max_message_bytes = 0;  ///< payload and headers; 0: no limit known
};

/// A message broker. Created by the plugin's `create`, which does no I/O.
class Broker : public Plugin {
 public:
  /// Begins to connect in the background and returns; reconnects by itself with backoff for ever.
  /// Errors are those no waiting can cure (a setting that can't work). [startup]
  virtual Status open() = 0;

  /// Stops all threads. Messages without an outcome get `unknown`. Pre: all subscriptions are
  /// destroyed. Idempotent. [shutdown]
  virtual void close() = 0;

  /// Connected, or in words what is wrong. Never blocks. [any-thread]
  virtual Health health() = 0;

  [[nodiscard]] virtual BrokerCapabilities capabilities() const = 0;

  /// In one or two sentences for people: what an acknowledgement survives, as this broker is set
  /// up.
  [[nodiscard]] virtual std::string guarantees() const = 0;

  /// Creates or checks what the topics need. Errors: failed_precondition in words (too few
  /// partitions), permission_denied, unavailable. May block for `wait`. [any-thread]
  virtual Status ensure(std::span<const TopicSpec> topics, std::chrono::milliseconds wait) = 0;

  /// Sends messages; the sink hears of each, at the latest shortly after `deadline` (counted from
  /// now). Within one key (and topic) a message is never taken before an earlier one, and if one is
  /// not acked, those of its key that follow in the same call are not acked either.
  /// The sink must live until it has heard of every message.
  /// Errors: overloaded, unavailable, invalid_argument: then nothing was taken and the sink hears
  /// nothing. Does not wait for the broker. [any-thread]
  virtual Status publish(std::span<const Message> messages, std::chrono::milliseconds deadline,
                         PublishSink& sink) = 0;

  /// Messages of one topic partition from now on, in order. The sink must live until the
  /// subscription is stopped. Works while disconnected: it subscribes when the connection comes.
  virtual Result<std::unique_ptr<Subscription>> subscribe(std::string_view topic,
                                                          Partition partition,
                                                          MessageSink& sink) = 0;

 protected:
  ~Broker() = default;
};

}  // namespace vouch
