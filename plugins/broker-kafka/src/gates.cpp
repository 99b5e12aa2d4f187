#include "gates.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>

namespace vouch::kafka {

bool Gates::meet(const std::string& topic) {
  return topics_.try_emplace(topic).second;
}

void Gates::know(const std::string& topic, std::int32_t partitions) {
  Topic& known = topics_[topic];
  known.held = false;
  if (partitions > 0) known.partitions = partitions;
}

std::int32_t Gates::partitions(const std::string& topic) const {
  const auto known = topics_.find(topic);
  return known == topics_.end() ? 0 : known->second.partitions;
}

std::int32_t Gates::partition_of(const std::string& topic, std::string_view key) const {
  if (key.empty()) return kAnyPartition;
  const std::int32_t count = partitions(topic);
  if (count == 0) return kUnknownPartition;
  // The topic's handle is only for records without key.
  return rd_kafka_msg_partitioner_murmur2_random(nullptr, key.data(), key.size(), count, nullptr,
                                                 nullptr);
}

Gates::Gate& Gates::gate(Topic& topic, std::int32_t partition) {
  return partition < 0 ? topic.unknown : topic.gates[partition];
}

bool Gates::enter(const std::string& topic, std::int32_t partition, Number number, Time now) {
  Topic& known = topics_[topic];
  // The one that is alone there may be of any partition.
  if (known.held || known.unknown.alone != 0 || !known.unknown.waiting.empty()) {
    known.unknown.waiting.push_back(number);
    ++waiting_;
    return false;
  }
  if (partition == kAnyPartition) return true;
  Gate& mine = gate(known, partition);
  if (mine.alone != 0 || !mine.waiting.empty()) {
    mine.waiting.push_back(number);
    ++waiting_;
    return false;
  }
  if (mine.proven && now - *mine.proven < kRemembered) return true;
  mine.alone = number;
  ++alone_;
  return true;
}

void Gates::hold(const std::string& topic, std::int32_t partition, Number number) {
  left(topic, partition, number);
  Topic& known = topics_[topic];
  known.held = true;
  known.unknown.waiting.push_back(number);
  ++waiting_;
}

void Gates::left(const std::string& topic, std::int32_t partition, Number number) {
  if (alone_ == 0) return;
  const auto known = topics_.find(topic);
  if (known == topics_.end()) return;
  Gate& mine = gate(known->second, partition);
  if (mine.alone != number) return;
  mine.alone = 0;
  --alone_;
}

void Gates::prove(const std::string& topic, std::int32_t partition, Time now) {
  if (partition >= 0) topics_[topic].gates[partition].proven = now;
}

void Gates::take(Gate& gate, std::vector<Number>& taken) {
  if (gate.alone != 0) return;
  taken.insert(taken.end(), gate.waiting.begin(), gate.waiting.end());
  waiting_ -= gate.waiting.size();
  gate.waiting.clear();
}

std::vector<Gates::Number> Gates::take() {
  std::vector<Number> taken;
  if (empty()) return taken;
  for (auto& [name, topic] : topics_) {
    if (topic.held) continue;
    take(topic.unknown, taken);
    for (auto& [partition, gate] : topic.gates) take(gate, taken);
  }
  std::sort(taken.begin(), taken.end());
  return taken;
}

std::vector<Gates::Number> Gates::waiting() const {
  std::vector<Number> all;
  if (empty()) return all;
  const auto add = [&](const Gate& gate) {
    all.insert(all.end(), gate.waiting.begin(), gate.waiting.end());
  };
  for (const auto& [name, topic] : topics_) {
    add(topic.unknown);
    for (const auto& [partition, gate] : topic.gates) add(gate);
  }
  return all;
}

void Gates::clear() {
  topics_.clear();
  waiting_ = 0;
  alone_ = 0;
}

}  // namespace vouch::kafka
