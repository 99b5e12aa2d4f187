// Marks: deliveries that are on their outbound topics but whose rows do not say so yet. A sync for
// each would cost more than the marks are worth, so they are kept here and written together, 50 ms
// later; a crash loses at most those, and the deliveries are made again. Any thread.
#pragma once

#include <condition_variable>
#include <mutex>
#include <set>
#include <span>
#include <thread>

#include "backend.h"

namespace vouch::mysql {

class Marks {
 public:
  explicit Marks(Backend& backend) : backend_(backend) {}
  Marks(const Marks&) = delete;
  Marks& operator=(const Marks&) = delete;
  ~Marks() { stop(); }

  void start();
  /// Ends the thread and writes what is pending. Idempotent.
  void stop();

  void add(std::span<const DeliveryId> deliveries);
  [[nodiscard]] bool pending(const DeliveryId& id) const;
  /// A mark leaves them only after its row was committed: what was copied before a row is read
  /// tells of every mark that the row lacks.
  [[nodiscard]] std::set<DeliveryId> all() const;
  /// Writes what is pending now. Errors: as the database says; the marks stay pending.
  Status flush();

 private:
  void run();

  Backend& backend_;
  std::mutex flush_mutex_;    // one flush at a time; taken before mutex_
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::set<DeliveryId> pending_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace vouch::mysql
