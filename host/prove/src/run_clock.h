// RunClock: the time of a run, from its beginning. Immutable, any thread.
#pragma once

#include <chrono>
#include <thread>

#include "prove/history.h"

namespace vouch::prove {

class RunClock {
 public:
  [[nodiscard]] Seconds now() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

inline void pause_for(Seconds time) {
  if (time > 0) std::this_thread::sleep_for(std::chrono::duration<double>(time));
}

}  // namespace vouch::prove
