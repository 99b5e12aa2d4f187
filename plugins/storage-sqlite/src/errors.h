// What SQLite says, turned into the contract's words; and the one place where exceptions become
// values. Any thread.
#pragma once

#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>

#include "statement.h"
#include "vouch/status.h"

namespace vouch::sqlite {

/// Carries a finished Status up to the boundary.
class StatusError : public std::runtime_error {
 public:
  explicit StatusError(Status status)
      : std::runtime_error(status.to_string()), status_(std::move(status)) {}
  [[nodiscard]] const Status& status() const { return status_; }

 private:
  Status status_;
};

/// The Status for people: what is wrong with `path`, and what helps.
Status status_of(const SqlError& error, std::string_view path);

/// Whether the session must be given up after this error (the next use opens a new one).
bool breaks_session(const SqlError& error);

/// Whether a COMMIT that failed so may still be found committed by a recovery after a crash. A
/// failed write leaves no whole commit frame in the log; a failed sync may leave one.
bool commit_in_doubt(const SqlError& error);

/// The exception in flight as a Status. Pre: called from a catch block.
Status status_of_current_exception(std::string_view path);

/// Runs `body` (which returns a Status or a Result) and turns whatever it throws into a Status.
template <typename Body>
auto guarded(std::string_view path, std::string_view doing, Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (...) {
    return status_of_current_exception(path).with_context(doing);
  }
}

}  // namespace vouch::sqlite
