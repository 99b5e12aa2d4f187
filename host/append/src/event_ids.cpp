#include "append/event_ids.h"

#include <sys/random.h>

#include <system_error>

namespace vouch::append {
namespace {

void fill_random(std::uint8_t* bytes, std::size_t count) {
  while (count > 0) {
    const ssize_t got = getrandom(bytes, count, 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      throw std::system_error(errno, std::generic_category(), "getrandom");
    }
    bytes += got;
    count -= static_cast<std::size_t>(got);
  }
}

/// The next id of the same second; runs over into the next second after 2^128 of them.
void increment(EventId& id) {
  for (std::size_t i = EventId::kBytes; i-- > 0;) {
    if (++id.bytes[i] != 0) return;
  }
}

}  // namespace

EventId EventIds::next() {
  const std::int64_t seconds = clock_.now().micros / 1'000'000;
  const std::lock_guard lock(mutex_);
  if (seconds <= last_.unix_seconds()) {
    increment(last_);
    return last_;
  }
  const auto offset = static_cast<std::uint32_t>(seconds - EventId::kEpochSeconds);
  for (std::size_t i = 0; i < 4; ++i) {
    last_.bytes[i] = static_cast<std::uint8_t>(offset >> (24U - 8U * i));
  }
  fill_random(last_.bytes.data() + 4, EventId::kBytes - 4);
  return last_;
}

}  // namespace vouch::append
