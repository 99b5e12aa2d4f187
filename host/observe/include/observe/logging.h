// Logging: spdlog behind the SDK's Logger (spdlog is used in this room and nowhere else). Text for
// people and journald, or JSON with one object a line. [any-thread] after `make`.
#pragma once

#include <memory>
#include <string>

#include "vouch/host_services.h"

namespace vouch::observe {

struct LogOptions {
  std::string level = "info";   ///< trace, debug, info, warning, error
  std::string format = "text";  ///< text, json
  std::string file;             ///< empty: standard error
};

class Logging {
 public:
  /// Errors: invalid_argument, unavailable (the file can't be opened).
  static Result<std::unique_ptr<Logging>> make(const LogOptions& options);
  ~Logging();
  Logging(const Logging&) = delete;
  Logging& operator=(const Logging&) = delete;

  /// The logger of a part of the host, or of a plugin ("storage-sqlite"); lives as long as this.
  Logger& named(const std::string& name);

  /// Opens the log file anew (after it was rotated away). Errors: unavailable; the old file is then
  /// kept.
  Status reopen();
  /// From now on, for every logger. Errors: invalid_argument; the level is then as it was.
  Status set_level(const std::string& level);
  void flush();

 private:
  Logging();
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vouch::observe
