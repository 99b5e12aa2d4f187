#include "read/snapshot_saver.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <string>
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
                                            "Snapshots dropped: the queue was full, or "
                                            "their stream was being erased.",
                                            {})) {}

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
      if (held_.contains(snapshot.stream.str())) {
        dropped_.increment();
        return true;
      }
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

  void hold(const StreamName& stream) {
    std::unique_lock lock(mutex_);
    held_.insert(stream.str());
    const std::size_t before = waiting_.size();
    std::erase_if(waiting_, [&](const Snapshot& snapshot) {
      if (snapshot.stream != stream) return false;
      bytes_ -= snapshot.data.size();
      return true;
    });
    dropped_.add(static_cast<double>(before - waiting_.size()));
    // The round under way may have some of the stream; those that follow have none.
    const std::uint64_t begun = rounds_begun_;
    idle_.wait(lock, [&] { return rounds_done_ >= begun; });
  }

  void release(const StreamName& stream) {
    const std::lock_guard lock(mutex_);
    held_.erase(held_.find(stream.str()));
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
      ++rounds_begun_;
      lock.unlock();
      save(batch);
      lock.lock();
      saving_ = false;
      ++rounds_done_;
      idle_.notify_all();
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
  std::uint64_t rounds_begun_ = 0;
  std::uint64_t rounds_done_ = 0;
  std::multiset<std::string> held_;  ///< streams of which nothing is taken
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
SnapshotSaver::Hold SnapshotSaver::hold(const StreamName& stream) {
  impl_->hold(stream);
  return {*this, stream};
}
SnapshotSaver::Hold::~Hold() {
  saver_.impl_->release(stream_);
}
void SnapshotSaver::flush() {
  impl_->flush();
}

}  // namespace vouch::read
