#include "checkpointer.h"

#include <algorithm>

#include "vouch/thread_name.h"

namespace vouch::sqlite {

namespace {

using namespace std::chrono_literals;

constexpr auto kAfterFailure = 1s;
/// How long nobody writes because a reader keeps the log from being cut.
constexpr auto kForReaders = 200ms;
/// What may be left for the turn: some milliseconds of copying, during which nobody writes.
constexpr std::uint64_t kShortRest = 512;
constexpr int kMostCopies = 8;

}  // namespace

void Checkpointer::start() {
  connection_ = std::make_unique<Connection>(backend_.options, Connection::Mode::write);
  const auto page = static_cast<std::uint64_t>(
      std::max<std::int64_t>(connection_->integer("PRAGMA page_size"), 512));
  threshold_ = std::max<std::uint64_t>(backend_.options.checkpoint_bytes / page, 1);
  due_at_ = threshold_;
  stopping_ = false;
  thread_ = std::thread([this] {
    name_this_thread("sqlite-log");
    run();
  });
}

void Checkpointer::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
  connection_.reset();
}

void Checkpointer::log_grew(std::uint64_t frames) {
  if (frames < threshold_) due_at_.store(threshold_, std::memory_order_relaxed);
  if (frames < due_at_.load(std::memory_order_relaxed)) return;
  {
    const std::lock_guard lock(mutex_);
    if (due_) return;
    due_ = true;
  }
  changed_.notify_one();
}

bool Checkpointer::empty_log(std::chrono::milliseconds wait) {
  std::unique_lock lock(mutex_);
  const std::uint64_t mine = ++empty_asked_;
  changed_.notify_all();
  return changed_.wait_for(lock, wait, [&] { return empty_done_ >= mine || stopping_; }) &&
         empty_done_ >= mine;
}

Status Checkpointer::work(std::unique_lock<std::mutex>& lock) {
  const std::uint64_t asked = empty_asked_;
  const bool empty = empty_done_ < asked;
  lock.unlock();
  const Status status = backend_.run("moving the write-ahead log into the file", [&]() -> Status {
    if (Status moved = checkpoint(); !moved.ok() || !empty) return moved;
    return truncate();
  });
  lock.lock();
  if (empty && status.ok()) {
    empty_done_ = asked;
    changed_.notify_all();
  }
  return status;
}

void Checkpointer::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return due_ || empty_done_ < empty_asked_ || stopping_; });
    if (stopping_) return;
    const Status status = work(lock);
    due_ = false;
    const bool still_to_empty = empty_done_ < empty_asked_;
    if (status.ok() || (status.code() == StatusCode::contended && !still_to_empty)) continue;
    backend_.services.logger().warning(still_to_empty
                                           ? "the write-ahead log is not empty yet; trying again"
                                           : "the write-ahead log grows; trying again",
                                       {{"reason", status.message()}});
    if (changed_.wait_for(lock, kAfterFailure, [this] { return stopping_; })) return;
  }
}

Status Checkpointer::checkpoint() {
  Progress progress = copy();
  for (int i = 1; i < kMostCopies && progress.frames - progress.copied > kShortRest; ++i) {
    const std::uint64_t before = progress.copied;
    progress = copy();
    if (progress.copied <= before) break;  // a reader stands in the way
  }
  backend_.writer.hold_turn(backend_.options.busy_timeout, [&] { progress = copy(); });
  // A reader that stays keeps the log from beginning anew: it grows by half before the next try.
  const bool all = progress.copied >= progress.frames;
  due_at_ = all ? threshold_ : progress.frames + threshold_ / 2;
  return {};
}

Status Checkpointer::truncate() {
  Status status;
  backend_.writer.hold_turn(backend_.options.busy_timeout, [&] {
    connection_->busy_timeout(kForReaders);
    const int code = sqlite3_wal_checkpoint_v2(connection_->handle(), nullptr,
                                               SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
    if (code == SQLITE_BUSY) {
      status = {StatusCode::contended,
                "what was erased is still in the write-ahead log: a reader stands in the way"};
    } else if (code != SQLITE_OK) {
      throw SqlError::of(connection_->handle(), code);
    }
  });
  return status;
}

Checkpointer::Progress Checkpointer::copy() {
  int frames = 0;
  int copied = 0;
  const int code = sqlite3_wal_checkpoint_v2(connection_->handle(), nullptr,
                                             SQLITE_CHECKPOINT_PASSIVE, &frames, &copied);
  if (code != SQLITE_OK && code != SQLITE_BUSY) throw SqlError::of(connection_->handle(), code);
  return {static_cast<std::uint64_t>(std::max(frames, 0)),
          static_cast<std::uint64_t>(std::max(copied, 0))};
}

}  // namespace vouch::sqlite
