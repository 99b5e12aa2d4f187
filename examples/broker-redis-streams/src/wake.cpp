#include "wake.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace broker_redis {

namespace {

int make_descriptor() {
  const int descriptor = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  return descriptor;
}

}  // namespace

Wake::Wake() : descriptor_(make_descriptor()) {}

Wake::~Wake() {
  ::close(descriptor_);
}

void Wake::set() const {
  const std::uint64_t one = 1;
  // Fails only when it is set already.
  [[maybe_unused]] const auto written = ::write(descriptor_, &one, sizeof(one));
}

void Wake::clear() const {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto read = ::read(descriptor_, &count, sizeof(count));
}

}  // namespace broker_redis
