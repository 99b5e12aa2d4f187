#include "tailer.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <system_error>

#include "record.h"
#include "vouch/thread_name.h"

namespace broker_files {

using vouch::Status;
using vouch::StatusCode;

namespace {

/// Messages for one subscriber before the next one has its turn.
constexpr int kRoundMessages = 256;
/// How soon a change is found where the kernel does not tell of it (network file systems).
constexpr int kLongestWaitMilliseconds = 1'000;

Status failed(const char* doing) {
  return Status(StatusCode::unavailable,
                std::string("can't ") + doing + ": " + std::generic_category().message(errno));
}

void drain(int descriptor) {
  char bytes[4'096];
  while (::read(descriptor, bytes, sizeof bytes) > 0) {
  }
}

}  // namespace

Status Tailer::start() {
  if (thread_.joinable()) return {};
  changes_ = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (changes_ < 0) return failed("watch files");
  wake_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (wake_ < 0) return failed("make an event");
  ending_ = false;
  thread_ = std::thread([this] {
    vouch::name_this_thread("broker_files");
    run();
  });
  return {};
}

void Tailer::stop() {
  if (thread_.joinable()) {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    wake();
    thread_.join();
  }
  for (int* descriptor : {&changes_, &wake_}) {
    if (*descriptor >= 0) ::close(*descriptor);
    *descriptor = -1;
  }
}

void Tailer::wake() const {
  const std::uint64_t one = 1;
  // A counter that is full wakes as well.
  [[maybe_unused]] const ssize_t written = ::write(wake_, &one, sizeof one);
}

Status Tailer::follow(const std::string& path, std::shared_ptr<Follower> follower) {
  const std::lock_guard lock(mutex_);
  // The same file again is the same watch; watches end with the tailer.
  if (::inotify_add_watch(changes_, path.c_str(), IN_MODIFY) < 0) return failed("watch a topic");
  followers_.push_back(std::move(follower));
  wake();
  return {};
}

void Tailer::leave(const std::shared_ptr<Follower>& follower) {
  std::unique_lock lock(mutex_);
  follower->stopped = true;
  std::erase(followers_, follower);
  idle_.wait(lock, [&] { return delivering_ != follower.get(); });
}

void Tailer::run() {
  bool more = false;
  while (true) {
    pollfd waits[] = {{changes_, POLLIN, 0}, {wake_, POLLIN, 0}};
    ::poll(waits, std::size(waits), more ? 0 : kLongestWaitMilliseconds);
    drain(changes_);
    drain(wake_);
    more = false;
    std::unique_lock lock(mutex_);
    if (ending_) return;
    const std::vector<std::shared_ptr<Follower>> round = followers_;
    for (const auto& follower : round) {
      if (ending_) return;
      if (follower->stopped) continue;
      delivering_ = follower.get();
      lock.unlock();
      more = deliver(*follower) || more;
      lock.lock();
      delivering_ = nullptr;
      idle_.notify_all();
    }
  }
}

bool Tailer::deliver(Follower& follower) {
  try {
    std::string body;
    for (int i = 0; i < kRoundMessages; ++i) {
      if (follower.stopped) return false;
      const vouch::Result<bool> found = follower.file->read(follower.offset, body);
      if (!found.ok()) {
        if (!follower.complained) services_.logger().error(found.status().message());
        follower.complained = true;
      }
      if (!found.ok() || !*found) return false;
      follower.complained = false;
      const auto message = message_of(body);
      if (!message) continue;  // of a newer version of this plugin
      std::vector<vouch::Header> headers;
      for (const auto& [name, value] : message->headers) headers.push_back({name, value});
      follower.sink.message(
          {follower.topic, follower.partition, message->key, headers, message->payload});
    }
    return true;
  } catch (const std::exception& error) {
    // The thread serves the other subscribers too and must outlive one broken sink.
    services_.logger().error("a subscriber threw while it took a message",
                             {{"topic", follower.topic}, {"error", error.what()}});
    return true;
  }
}

}  // namespace broker_files
