#include "write_turn.h"

#include <algorithm>

namespace vouch::sqlite {

bool WriteTurn::take(std::chrono::milliseconds wait) {
  std::unique_lock lock(mutex_);
  const std::uint64_t ticket = next_ticket_++;
  line_.push_back(ticket);
  const bool mine =
      changed_.wait_for(lock, wait, [this, ticket] { return !taken_ && line_.front() == ticket; });
  std::erase(line_, ticket);
  if (mine) {
    taken_ = true;
  } else {
    changed_.notify_all();  // Whoever stood behind this ticket may be first now.
  }
  return mine;
}

void WriteTurn::give_back() {
  {
    const std::lock_guard lock(mutex_);
    taken_ = false;
  }
  changed_.notify_all();
}

}  // namespace vouch::sqlite
