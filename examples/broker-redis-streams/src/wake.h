// Wake: ends waiting in poll(2), for good: a thread that waits for Redis must hear that the broker
// is closed. [any-thread]
#pragma once

namespace broker_redis {

class Wake {
 public:
  /// Throws std::system_error when the process has no descriptors left.
  Wake();
  ~Wake();
  Wake(const Wake&) = delete;
  Wake& operator=(const Wake&) = delete;

  void set() const;
  void clear() const;
  /// Readable while it is set.
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  const int descriptor_;
};

}  // namespace broker_redis
