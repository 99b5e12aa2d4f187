// Tap: a file to which messages are appended as lines, so that people (tail -f) and tests see what
// goes out. Used by one thread at a time (the broker holds its lock).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "vouch/status.h"

namespace vouch::broker_local {

class Tap {
 public:
  /// Opens `path` for appending and creates it if needed. Errors: failed_precondition in words.
  static Result<std::unique_ptr<Tap>> open(const std::string& path);
  ~Tap();
  Tap(const Tap&) = delete;
  Tap& operator=(const Tap&) = delete;

  struct Written {
    std::size_t bytes = 0;  ///< of `lines`, that are in the file
    Status status;          ///< not ok unless that is all of them
  };
  /// Appends whole lines in one write, unless the system takes them in pieces. What it took stays
  /// when the process is killed; it is not forced to the disk.
  Written append(std::string_view lines);

 private:
  Tap(std::string path, int descriptor, bool torn);

  const std::string path_;
  const int descriptor_;
  bool torn_;  ///< the file ends within a line: begin with a line feed
};

}  // namespace vouch::broker_local
