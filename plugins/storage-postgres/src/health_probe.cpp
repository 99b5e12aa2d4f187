#include "health_probe.h"

#include <algorithm>

#include "vouch/thread_name.h"

namespace vouch::postgres {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr Sql kProbe{"probe", "SELECT pg_is_in_recovery()"};
constexpr milliseconds kPatience{800};
constexpr milliseconds kStatementTimeout{1'000};
constexpr milliseconds kConnectTimeout{2'000};

Options impatient(Options options) {
  options.statement_timeout = std::min(options.statement_timeout, kStatementTimeout);
  options.connect_timeout = std::min(options.connect_timeout, kConnectTimeout);
  return options;
}

}  // namespace

HealthProbe::HealthProbe(Backend& backend)
    : backend_(backend), options_(impatient(backend.options)) {}

Status HealthProbe::ask() {
  std::unique_lock lock(mutex_);
  if (stopping_) return {StatusCode::unavailable, "the storage is not open"};
  if (!thread_.joinable()) {
    thread_ = std::thread([this] {
      name_this_thread("pg-health");
      run();
    });
  }
  if (!asking_) {
    asking_ = true;
    since_ = steady_clock::now();
    changed_.notify_all();
  }
  const std::uint64_t before = answers_;
  if (changed_.wait_for(lock, kPatience, [&] { return answers_ != before || stopping_; })) {
    return last_;
  }
  const auto silent = std::chrono::duration_cast<milliseconds>(steady_clock::now() - since_);
  return {StatusCode::unavailable,
          backend_.place + ": no answer for " + std::to_string(silent.count()) + " ms"};
}

void HealthProbe::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  thread_ = {};
  const std::lock_guard lock(mutex_);
  stopping_ = false;
}

void HealthProbe::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return asking_ || stopping_; });
    if (stopping_) break;
    lock.unlock();
    Status answer = probe();
    lock.lock();
    last_ = std::move(answer);
    asking_ = false;
    ++answers_;
    changed_.notify_all();
  }
  asking_ = false;
  session_.reset();
}

Status HealthProbe::probe() {
  // A session that was fine the last time may be of a server that is gone since.
  for (int attempt = session_ == nullptr ? 1 : 0;; ++attempt) {
    const Status status = backend_.run("asking the database", [&]() -> Status {
      if (session_ == nullptr) session_ = std::make_unique<Session>(options_, "health");
      if (session_->run(kProbe).integer(0, 0) == 0) return {};
      return {StatusCode::unavailable, backend_.place + ": the server became a replica"};
    });
    if (status.ok()) return status;
    session_.reset();
    if (attempt > 0) return status;
  }
}

}  // namespace vouch::postgres
