#include "claims.h"

#include <algorithm>

#include "vouch/thread_name.h"

namespace vouch::postgres {
namespace {

constexpr Sql kTake{"take_partition", "SELECT pg_try_advisory_lock($1, $2)"};
constexpr Sql kGive{"give_partition", "SELECT pg_advisory_unlock($1, $2)"};
constexpr Sql kSign{"sign_of_life", "SELECT 1"};
constexpr int kIdleSessionTimeout = 140'000;  // PostgreSQL 14 has idle_session_timeout

}  // namespace

class Claims::HeldClaim final : public Claim {
 public:
  HeldClaim(Claims& claims, std::shared_ptr<Life> life, Partition partition)
      : claims_(claims), life_(std::move(life)), partition_(partition) {}
  ~HeldClaim() override { claims_.release(life_, partition_); }
  [[nodiscard]] Partition partition() const override { return partition_; }
  [[nodiscard]] bool held() const override { return life_->alive.load(); }

 private:
  Claims& claims_;
  const std::shared_ptr<Life> life_;
  const Partition partition_;
};

void Claims::start() {
  const std::lock_guard lock(mutex_);
  stopping_ = false;
  thread_ = std::thread([this] {
    name_this_thread("pg-claims");
    keep_alive();
  });
}

void Claims::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    end_life();
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Claims::keep_alive() {
  const auto pause = backend_.options.lost_host_timeout / 5;
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, pause, [this] { return stopping_; })) {
    if (life_ == nullptr) continue;
    const Status status = backend_.run("keeping the partitions", [&]() -> Status {
      life_->session->run(kSign);
      return {};
    });
    if (status.ok()) continue;
    backend_.services.logger().warning("the partitions of this host are lost",
                                       {{"reason", status.message()}});
    end_life();
  }
}

void Claims::begin_life() {
  auto life = std::make_shared<Life>();
  life->session = std::make_unique<Session>(backend_.options, "claims");
  const std::string timeout = std::to_string(backend_.options.lost_host_timeout.count());
  if (life->session->server_version() >= kIdleSessionTimeout) {
    life->session->execute("SET idle_session_timeout = " + timeout);
  } else {
    // An open transaction without a snapshot holds nothing back, and has a time-out of its own.
    life->session->execute("SET idle_in_transaction_session_timeout = " + timeout + "; BEGIN");
  }
  life_ = std::move(life);
}

void Claims::end_life() {
  if (life_ == nullptr) return;
  life_->alive = false;
  life_->session.reset();
  life_.reset();
}

Result<std::unique_ptr<Claim>> Claims::take(Partition partition) {
  if (partition.value >= backend_.partitions) {
    return Status(StatusCode::invalid_argument,
                  "the store has no partition " + std::to_string(partition.value));
  }
  const std::lock_guard lock(mutex_);
  if (stopping_) return Status(StatusCode::unavailable, "the storage is not open");
  const auto held = [&](const char* by) {
    return Status(StatusCode::held,
                  "partition " + std::to_string(partition.value) + " is claimed by " + by);
  };
  return backend_.run("claiming a partition", [&]() -> Result<std::unique_ptr<Claim>> {
    if (life_ == nullptr) begin_life();
    // A session gets its own lock as often as it asks.
    if (life_->held.contains(partition)) return held("this host");
    try {
      const Rows rows = life_->session->run(
          kTake,
          Parameters().number4(backend_.lock_space).number4(partition_lock(partition.value)));
      if (rows.integer(0, 0) == 0) return held("another host");
    } catch (const SqlError&) {
      end_life();
      throw;
    }
    life_->held.insert(partition);
    return std::unique_ptr<Claim>(std::make_unique<HeldClaim>(*this, life_, partition));
  });
}

void Claims::release(const std::shared_ptr<Life>& life, Partition partition) {
  const std::lock_guard lock(mutex_);
  life->held.erase(partition);
  if (life->session == nullptr) return;
  const Status status = backend_.run("giving a partition back", [&]() -> Status {
    life->session->run(
        kGive, Parameters().number4(backend_.lock_space).number4(partition_lock(partition.value)));
    return {};
  });
  if (!status.ok() && life == life_) end_life();
}

}  // namespace vouch::postgres
