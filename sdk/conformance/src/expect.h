// Expectations of the cases: a failed one throws ConformanceFailure with what was done, what was
// expected and what came back. Any thread.
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vouch/broker.h"
#include "vouch/conformance/case.h"
#include "vouch/storage.h"

namespace vouch::conformance {

inline std::string describe(const std::string& text) {
  return text.size() <= 80 ? '"' + text + '"' : std::to_string(text.size()) + " bytes";
}
inline std::string describe(std::string_view text) {
  return describe(std::string(text));
}
inline std::string describe(const char* text) {
  return describe(std::string(text));
}
inline std::string describe(bool value) {
  return value ? "true" : "false";
}
template <std::integral T>
std::string describe(T value) {
  return std::to_string(value);
}
inline std::string describe(Version version) {
  return "version " + std::to_string(version.value);
}
inline std::string describe(StatusCode code) {
  return std::string(to_string(code));
}
inline std::string describe(const EventId& id) {
  return id.to_string();
}
inline std::string describe(const StreamName& name) {
  return describe(name.str());
}
inline std::string describe(const DeliveryId& id) {
  return "delivery " + std::to_string(id.number.value) + " of partition " +
         std::to_string(id.partition.value);
}
inline std::string describe(const Token& token) {
  return "token of lane " + std::to_string(token.lane.value) + ", batch " +
         std::to_string(token.batch.value);
}
std::string describe(StageOutcome outcome);
std::string describe(CommitOutcome outcome);
std::string describe(Verdict verdict);
std::string describe(PublishOutcome outcome);

template <typename T>
std::string describe(const std::vector<T>& values) {
  std::string text = std::to_string(values.size()) + " [";
  for (std::size_t i = 0; i < values.size() && i < 10; ++i) {
    if (i > 0) text += ", ";
    text += describe(values[i]);
  }
  return text + (values.size() > 10 ? ", …]" : "]");
}

template <typename T>
std::string describe(const std::optional<T>& value) {
  return value ? describe(*value) : "nothing";
}

template <typename A, typename B>
void expect_equal(std::string_view done, const A& expected, const B& came_back) {
  if (expected == came_back) return;
  throw ConformanceFailure(done, describe(expected), describe(came_back));
}

inline void expect(bool fulfilled, std::string_view done, std::string_view expected,
                   std::string_view came_back) {
  if (!fulfilled) throw ConformanceFailure(done, expected, came_back);
}

/// Of payloads, which may be long or unprintable: says how many bytes came, and which is the first
/// that differs.
void expect_bytes(std::string_view done, std::string_view expected, std::string_view came_back);

inline void expect_ok(std::string_view done, const Status& status) {
  if (!status.ok()) throw ConformanceFailure(done, "ok", status.to_string());
}

inline void expect_code(std::string_view done, StatusCode expected, const Status& status) {
  if (status.code() == expected) return;
  throw ConformanceFailure(done, describe(expected), status.to_string());
}

template <typename T>
T expect_value(std::string_view done, Result<T> result) {
  expect_ok(done, result.status());
  return std::move(result).value();
}

}  // namespace vouch::conformance
