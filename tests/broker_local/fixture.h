// What the local broker's tests share: sinks that remember, a broker made of settings as people
// write them, and a directory of its own for each test.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "local_broker.h"
#include "vouch/testkit/test_services.h"

namespace vouch::broker_local {

using namespace std::chrono_literals;
using Given = std::vector<values::GivenSetting>;

/// Remembers what became of each message.
class Outcomes final : public PublishSink {
 public:
  struct One {
    PublishOutcome outcome;
    Status why;
  };
  void published(std::size_t index, PublishOutcome outcome, const Status& why) override {
    if (!heard_.emplace(index, One{outcome, why}).second) throw std::logic_error("heard twice");
  }
  [[nodiscard]] std::size_t size() const { return heard_.size(); }
  [[nodiscard]] PublishOutcome of(std::size_t index) const { return heard_.at(index).outcome; }
  [[nodiscard]] const Status& why(std::size_t index) const { return heard_.at(index).why; }

 private:
  std::map<std::size_t, One> heard_;
};

/// Remembers messages as "topic/partition key header=value payload" and gaps as "gap".
class Received final : public MessageSink {
 public:
  void message(const Message& message) override {
    std::string text = std::string(message.topic) + "/" +
                       std::to_string(message.partition.value_or(Partition{}).value) + " " +
                       std::string(message.key);
    for (const Header& header : message.headers) {
      text += " " + std::string(header.name) + "=" + std::string(header.value);
    }
    add(text + " " + std::string(message.payload));
  }
  void gap() override { add("gap"); }

  /// From now on the next message's call does not return until `release`.
  void hold() {
    const std::lock_guard lock(mutex_);
    held_ = true;
  }
  void release() {
    const std::lock_guard lock(mutex_);
    held_ = false;
    changed_.notify_all();
  }
  /// Waits for that many entries; gives those that came.
  std::vector<std::string> wait(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, 10s, [&] { return entries_.size() >= count; });
    return entries_;
  }
  std::vector<std::string> entries() { return wait(0); }

 private:
  void add(std::string text) {
    std::unique_lock lock(mutex_);
    entries_.push_back(std::move(text));
    changed_.notify_all();
    changed_.wait(lock, [this] { return !held_; });
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> entries_;
  bool held_ = false;
};

class Directory {
 public:
  Directory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "vouch-local-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
    path_ = pattern;
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

struct Local {
  explicit Local(Given given = {}, bool open = true)
      : broker(Options::from(testkit::make_settings(kSettings, std::move(given))), services) {
    if (!open) return;
    const Status opened = broker.open();
    if (!opened.ok()) throw std::runtime_error(opened.to_string());
  }

  Outcomes publish(std::vector<Message> messages) {
    Outcomes outcomes;
    const Status status = broker.publish(messages, 1s, outcomes);
    if (!status.ok()) throw std::runtime_error(status.to_string());
    return outcomes;
  }
  std::unique_ptr<Subscription> subscribe(std::string_view topic, std::uint32_t partition,
                                          MessageSink& sink) {
    auto subscription = broker.subscribe(topic, Partition{partition}, sink);
    if (!subscription.ok()) throw std::runtime_error(subscription.status().to_string());
    return std::move(subscription).value();
  }

  testkit::TestServices services;
  LocalBroker broker;
};

inline Message message(std::string_view topic, std::string_view key, std::string_view payload) {
  return {topic, std::nullopt, key, {}, payload};
}

inline std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

}  // namespace vouch::broker_local
