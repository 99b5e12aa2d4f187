#include "keeper.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "vouch/thread_name.h"

namespace vouch::mysql {

namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

constexpr auto kPingPause = 1'000ms;
constexpr auto kFirstBackoff = 100ms;
constexpr auto kLongestBackoff = 5'000ms;

}  // namespace

bool Keeper::Term::holds() const {
  return !lost && Steady::now().time_since_epoch() < std::chrono::nanoseconds(good_until);
}

class Keeper::HeldClaim final : public Claim {
 public:
  HeldClaim(Keeper& keeper, Partition partition, std::shared_ptr<Term> term,
            std::function<void()> before_release)
      : keeper_(keeper),
        partition_(partition),
        term_(std::move(term)),
        before_release_(std::move(before_release)) {}
  ~HeldClaim() override {
    if (term_->holds()) before_release_();
    keeper_.release(partition_, term_);
  }
  [[nodiscard]] Partition partition() const override { return partition_; }
  [[nodiscard]] bool held() const override { return term_->holds(); }

 private:
  Keeper& keeper_;
  const Partition partition_;
  const std::shared_ptr<Term> term_;
  const std::function<void()> before_release_;
};

Keeper::Keeper(Backend& backend) : backend_(backend) {}

Keeper::~Keeper() {
  stop();
}

void Keeper::start() {
  stopping_ = false;
  connect();
  wake_fd_ = ::eventfd(0, EFD_CLOEXEC);
  if (wake_fd_ < 0) throw StatusError({StatusCode::unavailable, "no file descriptor is left"});
  thread_ = std::thread([this] {
    name_this_thread("mysql-keeper");
    run();
  });
}

void Keeper::stop() {
  if (thread_.joinable()) {
    stopping_ = true;
    const std::uint64_t one = 1;
    // It can only fail if the thread is to wake up already (eventfd(2)).
    [[maybe_unused]] const ssize_t written = ::write(wake_fd_, &one, sizeof one);
    thread_.join();
    ::close(std::exchange(wake_fd_, -1));
  }
  const std::lock_guard lock(mutex_);
  if (term_ != nullptr) term_->lost = true;
  session_.reset();
  term_.reset();
  claimed_.clear();
}

void Keeper::run() {
  auto backoff = kFirstBackoff;
  while (!stopping_) {
    bool connected = false;
    {
      const std::lock_guard lock(mutex_);
      connected = session_ != nullptr;
      if (connected) ping();
    }
    if (connected) {
      backoff = kFirstBackoff;
      wait(kPingPause);
      continue;
    }
    wait(backoff);
    if (stopping_) return;
    backoff = std::min(2 * backoff, kLongestBackoff);
    const Status status = backend_.run("connecting", [&]() -> Status {
      connect();
      return {};
    });
    if (!status.ok()) note({false, status.message()});
  }
}

/// Not under the mutex, since it takes as long as the server lets it.
void Keeper::connect() {
  const auto asked = Steady::now();
  auto session = std::make_unique<Session>(backend_.options, SessionRole::keeper);
  auto term = std::make_shared<Term>();
  term->good_until = (asked + backend_.options.lost_host_timeout).time_since_epoch() / 1ns;
  const std::lock_guard lock(mutex_);
  session_ = std::move(session);
  term_ = std::move(term);
  claimed_.clear();
  ping();
}

/// Pre: the mutex is held; there is a session.
void Keeper::ping() {
  const auto asked = Steady::now();
  const Status status = backend_.run("asking the server", [&]() -> Status {
    const auto row = session_
                         ->table(
                             "SELECT @@global.innodb_flush_log_at_trx_commit, "
                             "@@global.log_bin, @@global.sync_binlog, @@global.read_only")
                         .at(0);
    term_->good_until = (asked + backend_.options.lost_host_timeout).time_since_epoch() / 1ns;
    ServerVariables variables;
    variables.log_bin = row.at(1);
    variables.sync_binlog = row.at(2);
    backend_.must_flush = variables.visible_before_durable();
    const std::string& place = backend_.options.place();
    if (row.at(0) != "1") {
      note({false, place + ": innodb_flush_log_at_trx_commit was set to " + row.at(0) +
                       "; a crash would lose commits that were answered; set it to 1"});
    } else if (row.at(3) != "0" && row.at(3) != "OFF") {
      note({false, place + ": the server is read-only now; point the store to the primary"});
    } else {
      note({true, place + " answers"});
    }
    return {};
  });
  if (!status.ok()) lose(status);
}

/// Pre: the mutex is held.
void Keeper::lose(const Status& why) {
  term_->lost = true;
  const std::size_t claims = claimed_.size();
  claimed_.clear();
  session_.reset();
  note({false, why.message()});
  backend_.services.logger().warning(
      "the session that holds the claims was lost",
      {{"reason", why.message()}, {"claims", std::to_string(claims)}});
}

/// Until something is heard of the session or of `stop`, at most `most`.
void Keeper::wait(std::chrono::milliseconds most) {
  pollfd watched[2] = {{wake_fd_, POLLIN, 0}, {-1, POLLIN, 0}};
  {
    // Only this thread closes the session, so the descriptor stays what it is. What a claim's
    // statement makes readable costs a ping.
    const std::lock_guard lock(mutex_);
    if (session_ != nullptr) watched[1].fd = session_->socket();
  }
  static_cast<void>(::poll(watched, 2, static_cast<int>(most.count())));
}

Result<std::unique_ptr<Claim>> Keeper::claim(Partition partition,
                                             std::function<void()> before_release) {
  using Claimed = std::unique_ptr<Claim>;
  return backend_.run("claiming a partition", [&]() -> Result<Claimed> {
    const std::lock_guard lock(mutex_);
    if (session_ == nullptr) {
      return Status(StatusCode::unavailable, health().detail);
    }
    const Status held(StatusCode::held, "partition " + std::to_string(partition.value) + " of " +
                                            backend_.options.place() + " is claimed already");
    // The lock lets its own session in again.
    if (claimed_.contains(partition) || !take_lock(partition)) return held;
    claimed_.insert(partition);
    return Claimed(std::make_unique<HeldClaim>(*this, partition, term_, std::move(before_release)));
  });
}

/// Pre: the mutex is held; there is a session. A broken one is left to the keeper's thread. Waits a
/// moment, since the server needs one to notice that a holder died.
bool Keeper::take_lock(Partition partition) {
  const auto got =
      session_->table("SELECT GET_LOCK('" + backend_.locks.partition(partition) + "', 0.05)");
  return got.at(0).at(0) == "1";
}

void Keeper::release(Partition partition, const std::shared_ptr<Term>& term) {
  const std::lock_guard lock(mutex_);
  if (term != term_ || session_ == nullptr) return;
  claimed_.erase(partition);
  const Status status = backend_.run("giving a partition back", [&]() -> Status {
    session_->execute("DO RELEASE_LOCK('" + backend_.locks.partition(partition) + "')");
    return {};
  });
  ignore_status(status, "a session that can't give a lock back is gone, and the lock with it");
}

Health Keeper::health() const {
  const std::lock_guard lock(health_mutex_);
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(Steady::now() - changed_).count();
  if (health_.ok) return health_;
  return {false, health_.detail + " (for " + std::to_string(seconds) + " s)"};
}

void Keeper::note(Health health) {
  const std::lock_guard lock(health_mutex_);
  if (health.ok != health_.ok || changed_ == Steady::time_point{}) changed_ = Steady::now();
  health_ = std::move(health);
}

}  // namespace vouch::mysql
