// Names for threads, so that `top -H`, a debugger and a profiler say which part of a host is busy.
#pragma once

#include <pthread.h>

#include <string>

namespace vouch {

/// Names the calling thread. What is longer than 15 bytes is cut (pthread_setname_np(3)).
inline void name_this_thread(std::string name) {
  constexpr std::size_t kMostBytes = 15;
  if (name.size() > kMostBytes) name.resize(kMostBytes);
  ::pthread_setname_np(::pthread_self(), name.c_str());
}

}  // namespace vouch
