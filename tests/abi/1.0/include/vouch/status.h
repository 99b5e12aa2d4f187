// Status and Result<T>: how every call of the plugin contract reports failure. Values, never
// exceptions; plain enums, never error_category (its singletons are not shared between a host and
// a library it loads). Both types are immutable after construction and safe to copy across threads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace vouch {

/// What kind of failure it was. Numbers are part of the plugin ABI: never reuse or renumber one.
enum class StatusCode : std::uint16_t {
  ok = 0,
  invalid_argument = 1,     ///< The caller's input is wrong; repeating it can't help.
  not_found = 2,            ///< The named thing does not exist.
  already_exists = 3,       ///< The named thing exists and must not.
  failed_precondition = 4,  ///< The system is set up in a way that forbids it (schema, settings).
  unavailable = 5,          ///< The backend can't be reached or refuses now; a repeat may work.
  timeout = 6,              ///< A deadline passed; whether it happened is not known.
  cancelled = 7,            ///< The caller asked to stop.
  unauthenticated = 8,      ///< The backend does not accept the credentials.
  permission_denied = 9,    ///< The credentials lack a right.
  overloaded = 10,          ///< A bounded buffer is full; nothing was taken.
  too_large = 11,           ///< A size limit of the backend is exceeded.
  corrupt = 12,             ///< Stored data contradicts itself.
  not_supported = 13,       ///< This plugin can't do that.
  internal = 14,            ///< A defect: an invariant of the code does not hold.
  contended = 15,           ///< Deadlock or lock time-out: nothing happened, repeat at once.
  held = 16,                ///< A lock is held by somebody else.
};

/// The code's name as it appears in logs and metrics, for example "unavailable".
constexpr std::string_view to_string(StatusCode code) {
  constexpr std::string_view kNames[] = {"ok",
                                         "invalid_argument",
                                         "not_found",
                                         "already_exists",
                                         "failed_precondition",
                                         "unavailable",
                                         "timeout",
                                         "cancelled",
                                         "unauthenticated",
                                         "permission_denied",
                                         "overloaded",
                                         "too_large",
                                         "corrupt",
                                         "not_supported",
                                         "internal",
                                         "contended",
                                         "held"};
  const auto index = static_cast<std::size_t>(code);
  return index < std::size(kNames) ? kNames[index] : "unknown";
}

/// The outcome of a call: ok, or a code with a message for people. The message says what was
/// attempted, on what, and what to do; it never holds a secret.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}

  [[nodiscard]] bool ok() const { return code_ == StatusCode::ok; }
  [[nodiscard]] StatusCode code() const { return code_; }
  [[nodiscard]] const std::string& message() const { return message_; }

  /// "unavailable: can't reach …", for logs.
  [[nodiscard]] std::string to_string() const {
    if (ok()) return "ok";
    return std::string(vouch::to_string(code_)) + ": " + message_;
  }

  /// The same failure with what was being done put in front of its message.
  [[nodiscard]] Status with_context(std::string_view doing) const {
    if (ok()) return *this;
    return Status(code_, std::string(doing) + ": " + message_);
  }

 private:
  StatusCode code_ = StatusCode::ok;
  std::string message_;
};

/// A value, or the Status that says why there is none.
/// Pre of `value()` and the dereferences: `ok()`.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}         // NOLINT(google-explicit-constructor)
  Result(Status status) : status_(std::move(status)) {  // NOLINT(google-explicit-constructor)
    if (status_.ok()) status_ = Status(StatusCode::internal, "a Result was made of an ok Status");
  }

  [[nodiscard]] bool ok() const { return value_.has_value(); }
  [[nodiscard]] const Status& status() const { return status_; }
  [[nodiscard]] T& value() & { return *value_; }
  [[nodiscard]] const T& value() const& { return *value_; }
  [[nodiscard]] T&& value() && { return *std::move(value_); }
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T&& operator*() && { return *std::move(value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

 private:
  std::optional<T> value_;
  Status status_;
};

/// Drops a Status on purpose; `why` is for the reader (and for grep).
inline void ignore_status(const Status& /*status*/, const char* /*why*/) {}

}  // namespace vouch
