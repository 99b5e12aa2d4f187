#include "marks.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "size_classes.h"
#include "vouch/thread_name.h"

namespace vouch::mysql {

namespace {

using namespace std::chrono_literals;

constexpr auto kGather = 50ms;
constexpr auto kAfterFailure = 1s;
constexpr std::size_t kMostMarks = 256;

void write(Session& session, std::span<const std::uint64_t> numbers, Timestamp now) {
  for (std::size_t from = 0; from < numbers.size();) {
    const std::size_t count = std::min(numbers.size() - from, kMostMarks);
    const std::size_t terms = holding_class(count, kMostMarks);
    std::vector<Param> params{Param(now.micros)};
    for (std::size_t i = 0; i < terms; ++i) {
      params.emplace_back(numbers[from + std::min(i, count - 1)]);
    }
    session
        .prepared(
            "UPDATE vouch_deliveries SET delivered_at = ? WHERE delivered_at IS NULL "
            "AND number IN (" +
            repeated("?", terms, ",") + ")")
        .execute(params);
    from += count;
  }
}

}  // namespace

void Marks::start() {
  stopping_ = false;
  thread_ = std::thread([this] {
    name_this_thread("mysql-marks");
    run();
  });
}

void Marks::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
  if (const Status status = flush(); !status.ok()) {
    backend_.services.logger().warning("delivery marks are lost; the deliveries are made again",
                                       {{"reason", status.message()}});
  }
}

void Marks::add(std::span<const DeliveryId> deliveries) {
  {
    const std::lock_guard lock(mutex_);
    pending_.insert(deliveries.begin(), deliveries.end());
  }
  changed_.notify_one();
}

bool Marks::pending(const DeliveryId& id) const {
  const std::lock_guard lock(mutex_);
  return pending_.contains(id);
}

std::set<DeliveryId> Marks::all() const {
  const std::lock_guard lock(mutex_);
  return pending_;
}

void Marks::run() {
  bool failing = false;
  std::unique_lock lock(mutex_);
  const auto stopping = [this] { return stopping_; };
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !pending_.empty(); });
    if (changed_.wait_for(lock, kGather, stopping)) return;
    lock.unlock();
    const Status status = flush();
    // A failure is told once; the marks are safe in memory and are tried again.
    if (!status.ok() && !failing) {
      backend_.services.logger().warning("delivery marks can't be written; they are kept",
                                         {{"reason", status.message()}});
    }
    failing = !status.ok();
    lock.lock();
    if (failing && changed_.wait_for(lock, kAfterFailure, stopping)) return;
  }
}

Status Marks::flush() {
  const std::lock_guard one_at_a_time(flush_mutex_);
  const std::set<DeliveryId> writing = all();
  if (writing.empty()) return {};
  std::vector<std::uint64_t> numbers;
  numbers.reserve(writing.size());
  for (const DeliveryId& id : writing) numbers.push_back(id.number.value);
  std::ranges::sort(numbers);
  Status status = backend_.run("writing delivery marks", [&]() -> Status {
    // Each statement commits by itself; a repeat finds the rows marked.
    backend_.work.with(
        [&](Session& session) { write(session, numbers, backend_.services.clock().now()); });
    return {};
  });
  if (!status.ok()) return status;
  const std::lock_guard lock(mutex_);
  for (const DeliveryId& id : writing) pending_.erase(id);
  return status;
}

}  // namespace vouch::mysql
