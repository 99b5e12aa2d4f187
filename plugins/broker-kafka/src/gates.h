// Gates: of a partition that did not acknowledge anything yet, one record is on its way at a time.
// Kafka takes the first batch of a producer that a partition does not know whatever its sequence
// number. So when a first request is refused for a moment (the partition is just being made, its
// leader just moved) and a second one, already on its way, is not, the second is kept without the
// first, and librdkafka acknowledges both. Behind an acknowledged record Kafka refuses what does
// not follow. docs/design/0014-first-record-alone.md. Not thread-safe.
//
// Numbers of records rise; those that wait leave in that order.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vouch::kafka {

class Gates {
 public:
  using Number = std::uint64_t;
  using Time = std::chrono::steady_clock::time_point;

  /// For a record without key or partition: it has no order, and waits for nobody.
  static constexpr std::int32_t kAnyPartition = -2;
  /// For a record whose topic is not known well enough: the topic is one gate.
  static constexpr std::int32_t kUnknownPartition = -1;
  /// Brokers forget a producer that was silent for a day (producer.id.expiration.ms).
  static constexpr std::chrono::hours kRemembered{1};

  /// Whether it is met for the first time.
  bool meet(const std::string& topic);
  /// What brokers said of it; 0: nothing. What was held because of it may go.
  void know(const std::string& topic, std::int32_t partitions);
  [[nodiscard]] std::int32_t partitions(const std::string& topic) const;
  /// Where librdkafka will put a record with this key.
  [[nodiscard]] std::int32_t partition_of(const std::string& topic, std::string_view key) const;

  /// Whether the record may be handed over; if not, it waits here.
  bool enter(const std::string& topic, std::int32_t partition, Number number, Time now);
  /// It was handed over in vain: it waits, and its topic with it, until `know`.
  void hold(const std::string& topic, std::int32_t partition, Number number);
  /// A record that was handed over is not on its way any more.
  void left(const std::string& topic, std::int32_t partition, Number number);
  /// The partition acknowledged a record of this producer.
  void prove(const std::string& topic, std::int32_t partition, Time now);

  /// Those whose gates are free wait no more: they are to enter again, before all others.
  std::vector<Number> take();
  [[nodiscard]] std::vector<Number> waiting() const;
  [[nodiscard]] bool empty() const { return waiting_ == 0; }
  void clear();

 private:
  struct Gate {
    Number alone = 0;  ///< on its way; 0: none, or the partition is proven
    std::optional<Time> proven;
    std::vector<Number> waiting;
  };
  struct Topic {
    std::int32_t partitions = 0;
    bool held = false;
    Gate unknown;  ///< of records whose partition is not known
    std::map<std::int32_t, Gate> gates;
  };

  static Gate& gate(Topic& topic, std::int32_t partition);
  void take(Gate& gate, std::vector<Number>& taken);

  std::map<std::string, Topic, std::less<>> topics_;
  std::size_t waiting_ = 0;
  std::size_t alone_ = 0;
};

}  // namespace vouch::kafka
