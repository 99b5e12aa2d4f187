#include "read/snapshot_saver.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "vouch/thread_name.h"

namespace vouch::read {
namespace {

constexpr std::size_t kAtOnce = 20;
constexpr std::chrono::seconds kStopLimit{1};

}  // namespace

class SnapshotSaver::Impl {
 public:
  Impl(SnapshotStore& store, HostServices& services, std::uint64_t queue_bytes)
      : store_(store),
        services_(services),
        queue_bytes_(queue_bytes),
        saved_(services.metrics().counter("vouch_snapshots_saved_total", "Snapshots saved.", {})),
        failed_(services.metrics().counter("vouch_snapshot_failures_total",
                                           "Snapshots that the storage did not save.", {})),
        dropped_(services.metrics().counter("vouch_snapshots_dropped_total",
                                            "Snapshots dropped because the queue was full.", {})) {}

  ~Impl() { stop(); }

  void start() {
    const std::lock_guard lock(mutex_);
    running_ = true;
    thread_ = std::thread([this] {
      name_this_thread("snapshot-saver");
      run();
    });
  }

  void stop() {
    {
      std::unique_lock lock(mutex_);
      if (!running_) return;
      idle_.wait_for(lock, kStopLimit, [&] { return waiting_.empty() && !saving_; });
      running_ = false;
    }
    changed_.notify_all();
    thread_.join();
  }

  bool offer(Snapshot snapshot) {
    {
      const std::lock_guard lock(mutex_);
      if (!running_ || bytes_ + snapshot.data.size() > queue_bytes_) {
        dropped_.increment();
        return false;
      }
      bytes_ += snapshot.data.size();
      waiting_.push_back(std::move(snapshot));
    }
    changed_.notify_one();
    return true;
  }

  void flush() {
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [&] { return !running_ || (waiting_.empty() && !saving_); });
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] { return !running_ || !waiting_.empty(); });
      if (!running_) break;
      std::vector<Snapshot> batch;
      while (!waiting_.empty() && batch.size() < kAtOnce) {
        bytes_ -= waiting_.front().data.size();
        batch.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
      }
      saving_ = true;
      lock.unlock();
      save(batch);
      lock.lock();
      saving_ = false;
      if (waiting_.empty()) idle_.notify_all();
    }
    dropped_.add(static_cast<double>(waiting_.size()));
    waiting_.clear();
    idle_.notify_all();
  }

  void save(const std::vector<Snapshot>& batch) {
    const Status status = store_.save(batch);
    if (status.ok()) {
      saved_.add(static_cast<double>(batch.size()));
      return;
    }
    failed_.add(static_cast<double>(batch.size()));
    services_.logger().warning("snapshots could not be saved",
                               {{"count", std::to_string(batch.size())},
                                {"first_stream", batch.front().stream.view()},
                                {"problem", status.to_string()}});
  }

  SnapshotStore& store_;
  HostServices& services_;
  const std::uint64_t queue_bytes_;
  Counter& saved_;
  Counter& failed_;
  Counter& dropped_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable idle_;
  std::deque<Snapshot> waiting_;
  std::uint64_t bytes_ = 0;
  bool running_ = false;
  bool saving_ = false;
  std::thread thread_;
};

SnapshotSaver::SnapshotSaver(SnapshotStore& store, HostServices& services,
                             std::uint64_t queue_bytes)
    : impl_(std::make_unique<Impl>(store, services, queue_bytes)) {}
SnapshotSaver::~SnapshotSaver() = default;

void SnapshotSaver::start() {
  impl_->start();
}
void SnapshotSaver::stop() {
  impl_->stop();
}
bool SnapshotSaver::offer(Snapshot snapshot) {
  return impl_->offer(std::move(snapshot));
}
void SnapshotSaver::flush() {
  impl_->flush();
}

}  // namespace vouch::read
