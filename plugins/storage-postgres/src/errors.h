// How this plugin fails inside: exceptions that become a Status at its boundary. SqlError is what
// the server or libpq said; StatusError carries a finished Status. Any thread.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "vouch/status.h"

namespace vouch::postgres {

/// What the server said, with its SQLSTATE; five zeros stand for a lost connection.
/// (https://www.postgresql.org/docs/current/errcodes-appendix.html)
class SqlError : public std::runtime_error {
 public:
  SqlError(std::string state, const std::string& message)
      : std::runtime_error(message), state_(std::move(state)) {}
  [[nodiscard]] const std::string& state() const { return state_; }
  [[nodiscard]] bool connection_lost() const { return state_ == kConnectionLost; }

  static constexpr const char* kConnectionLost = "00000";

 private:
  std::string state_;
};

class StatusError : public std::runtime_error {
 public:
  explicit StatusError(Status status)
      : std::runtime_error(status.to_string()), status_(std::move(status)) {}
  [[nodiscard]] const Status& status() const { return status_; }

 private:
  Status status_;
};

/// For people: what is wrong with the database at `place`, and what helps.
Status status_of(const SqlError& error, std::string_view place);

/// Whether the session can't be used any more.
bool breaks_session(const SqlError& error);

/// The exception in flight as a Status. Pre: called from a catch block.
Status status_of_current_exception(std::string_view place);

/// Runs `body` (which returns a Status or a Result) and turns whatever it throws into a Status.
template <typename Body>
auto guarded(std::string_view place, std::string_view doing, Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (...) {
    return status_of_current_exception(place).with_context(doing);
  }
}

}  // namespace vouch::postgres
