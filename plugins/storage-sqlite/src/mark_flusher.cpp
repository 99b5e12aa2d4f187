#include "mark_flusher.h"

#include <chrono>

#include "vouch/thread_name.h"

namespace vouch::sqlite {

namespace {

using namespace std::chrono_literals;

/// A lane that stages more often than this carries the marks without a sync of their own.
constexpr auto kIdle = 100ms;
constexpr auto kAfterFailure = 1s;
/// Marks in one transaction: a lane that waits for its turn waits some 10 ms.
constexpr std::size_t kMarksAtOnce = 2'000;

}  // namespace

void MarkFlusher::start() {
  stopping_ = false;
  thread_ = std::thread([this] {
    name_this_thread("sqlite-marks");
    run();
  });
}

void MarkFlusher::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
  flush();
}

void MarkFlusher::wake() {
  // The empty section orders this call after the flusher's look at the marks, or before it.
  { const std::lock_guard lock(mutex_); }
  changed_.notify_one();
}

void MarkFlusher::run() {
  std::unique_lock lock(mutex_);
  const auto stopping = [this] { return stopping_; };
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || backend_.marks.any(); });
    if (changed_.wait_for(lock, kIdle, stopping)) return;
    if (std::chrono::steady_clock::now() - backend_.writer.last_carried() < kIdle) continue;
    lock.unlock();
    const bool written = flush();
    lock.lock();
    if (!written && changed_.wait_for(lock, kAfterFailure, stopping)) return;
  }
}

bool MarkFlusher::flush() {
  const Status status = backend_.run("writing delivery marks", [&]() -> Status {
    while (backend_.marks.any()) {
      const auto transaction = backend_.writer.begin(backend_.options.busy_timeout);
      try {
        transaction->carry_marks(kMarksAtOnce);
      } catch (const SqlError& error) {
        transaction->failed(error);
        throw;
      }
      const CommitReport report = transaction->commit();
      if (!report.status.ok()) return report.status;
    }
    return {};
  });
  // A busy writer is no news: the marks are safe in memory and are tried again.
  if (!status.ok() && status.code() != StatusCode::contended) {
    backend_.services.logger().warning("delivery marks could not be written; they are kept",
                                       {{"reason", status.message()}});
  }
  return status.ok();
}

}  // namespace vouch::sqlite
