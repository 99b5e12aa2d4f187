#include "writer.h"

#include <algorithm>
#include <exception>

#include "vouch/thread_name.h"

namespace broker_files {

using vouch::PublishOutcome;
using vouch::Status;
using vouch::StatusCode;

void Writer::start() {
  if (writing_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    running_ = true;
    waiting_messages_ = 0;
  }
  writing_ = std::thread([this] {
    vouch::name_this_thread("broker_files_w");
    write_calls();
  });
  expiring_ = std::thread([this] {
    vouch::name_this_thread("broker_files_t");
    expire_calls();
  });
}

void Writer::stop() {
  {
    const std::lock_guard lock(mutex_);
    running_ = false;
  }
  work_.notify_all();
  clock_.notify_all();
  if (writing_.joinable()) writing_.join();
  if (expiring_.joinable()) expiring_.join();
  files_.clear();
  // Nothing is added any more.
  for (const auto& call : untold_) {
    call->batch.decide_all(PublishOutcome::unknown,
                           Status(StatusCode::cancelled, "the broker was closed"));
  }
  untold_.clear();
  waiting_.clear();
}

Status Writer::reserve(std::size_t messages) {
  const std::lock_guard lock(mutex_);
  if (!running_) return Status(StatusCode::unavailable, "the broker is not open");
  if (waiting_messages_ + messages > queue_messages_) {
    return Status(StatusCode::overloaded, std::to_string(waiting_messages_) +
                                              " messages wait to be written, queue_messages is " +
                                              std::to_string(queue_messages_));
  }
  waiting_messages_ += messages;
  return {};
}

void Writer::put(std::shared_ptr<Call> call) {
  bool taken = false;
  {
    const std::lock_guard lock(mutex_);
    taken = running_ && !call->entries.empty();
    if (taken) {
      untold_.push_back(call);
      waiting_.push_back(call);
    }
  }
  if (!taken) {
    call->batch.decide_all(PublishOutcome::unknown,
                           Status(StatusCode::cancelled, "the broker was closed"));
    return;
  }
  work_.notify_one();
  clock_.notify_one();
}

void Writer::write_calls() {
  std::unique_lock lock(mutex_);
  while (true) {
    work_.wait(lock, [this] { return !running_ || !waiting_.empty(); });
    if (!running_) return;
    const Calls calls = std::move(waiting_);
    waiting_.clear();
    lock.unlock();
    write(calls);
    lock.lock();
    for (const auto& call : calls) {
      waiting_messages_ -= call->entries.size();
      untold_.remove(call);
    }
  }
}

/// One write for each file, in the order in which the messages came.
void Writer::write(const Calls& calls) {
  struct Part {
    std::string records;
    std::vector<std::pair<Call*, std::size_t>> messages;
  };
  std::map<std::string, Part> parts;
  for (const auto& call : calls) {
    for (const Call::Entry& entry : call->entries) {
      if (!call->batch.wanted(entry.index)) continue;
      Part& part = parts[entry.path];
      part.records += entry.record;
      part.messages.emplace_back(call.get(), entry.index);
    }
  }
  for (const auto& [path, part] : parts) {
    Status status;
    auto& file = files_[path];
    if (file == nullptr) {
      auto opened = PartitionFile::open(path);
      if (opened.ok()) file = *std::move(opened);
      status = opened.status();
    }
    if (status.ok()) status = file->append(part.records);
    for (const auto& [call, index] : part.messages) {
      call->batch.decide(index, status.ok() ? PublishOutcome::acked : PublishOutcome::unknown,
                         status);
    }
  }
}

void Writer::expire_calls() {
  const auto by_deadline = [](const auto& one, const auto& other) {
    return one->deadline < other->deadline;
  };
  std::unique_lock lock(mutex_);
  while (running_) {
    const auto next = std::min_element(untold_.begin(), untold_.end(), by_deadline);
    if (next == untold_.end()) {
      clock_.wait(lock);
      continue;
    }
    const std::shared_ptr<Call> call = *next;
    if (std::chrono::steady_clock::now() < call->deadline) {
      clock_.wait_until(lock, call->deadline);
      continue;
    }
    untold_.erase(next);
    lock.unlock();
    call->batch.decide_all(PublishOutcome::unknown,
                           Status(StatusCode::timeout, "not written by its deadline"));
    lock.lock();
  }
}

}  // namespace broker_files
