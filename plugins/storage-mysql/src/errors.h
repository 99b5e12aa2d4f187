// What the server and the client library say, turned into the contract's words; and the one place
// where exceptions become values. Any thread.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "options.h"
#include "vouch/status.h"

namespace vouch::mysql {

/// An error of the server (1000 to 1999, 3000 and up) or of the client library (2000 to 2999, 5000
/// to 5999); https://mariadb.com/kb/en/mariadb-error-codes/.
class SqlError : public std::runtime_error {
 public:
  SqlError(unsigned code, const std::string& message) : std::runtime_error(message), code_(code) {}
  [[nodiscard]] unsigned code() const { return code_; }

 private:
  unsigned code_;
};

/// Carries a finished Status up to the boundary.
class StatusError : public std::runtime_error {
 public:
  explicit StatusError(Status status)
      : std::runtime_error(status.to_string()), status_(std::move(status)) {}
  [[nodiscard]] const Status& status() const { return status_; }

 private:
  Status status_;
};

/// The Status for people: what is wrong with the database of `options`, and what helps.
Status status_of(const SqlError& error, const Options& options);

/// Whether the session is gone, or must be given up: the next use opens a new one.
bool breaks_session(const SqlError& error);

/// Whether a key refused a row.
bool is_duplicate(const SqlError& error);

/// The exception in flight as a Status. Pre: called from a catch block.
Status status_of_current_exception(const Options& options);

/// Runs `body` (which returns a Status or a Result) and turns whatever it throws into a Status.
template <typename Body>
auto guarded(const Options& options, std::string_view doing, Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (...) {
    return status_of_current_exception(options).with_context(doing);
  }
}

}  // namespace vouch::mysql
