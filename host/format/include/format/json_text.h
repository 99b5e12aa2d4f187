// JSON as text: a strict scanner (RFC 8259) that checks a document and hands out its parts as
// slices of the input, and the few writers that answers need. Slices are never re-encoded, because
// `data` goes back to clients byte for byte (number precision, key order, spacing). Stateless, any
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vouch/status.h"

namespace vouch::format {

enum class JsonKind : std::uint8_t { object, array, string, number, boolean, null };

/// A value inside a checked document. Views point into that document.
struct JsonSlice {
  JsonKind kind = JsonKind::null;
  std::string_view text;  ///< the value as it stands, without surrounding space
};

struct JsonMember {
  std::string key;  ///< unescaped
  JsonSlice value;
};

/// Deepest nesting that is accepted; deeper is invalid_argument (a bound on recursion and memory of
/// whoever reads the data later).
inline constexpr std::uint32_t kMaxJsonDepth = 512;

/// Checks that `text` is exactly one JSON value: grammar, UTF-8, depth, escapes (a lone surrogate
/// escape is refused). One pass, no allocation, no recursion. Errors: invalid_argument with line
/// and column, both from 1, column in bytes.
Result<JsonSlice> parse_json(std::string_view text);

/// The members of an object, or the elements of an array, in order. Pre: `slice` comes from
/// `parse_json` (or from one of these) and is of that kind. A key that occurs twice is an
/// invalid_argument that names it. (Unchecked bytes are safe: they give an error or fewer parts.)
Result<std::vector<JsonMember>> json_members(const JsonSlice& object);
std::vector<JsonSlice> json_elements(const JsonSlice& array);

/// The unescaped text of a string slice. Pre: kind is string.
std::string json_string(const JsonSlice& slice);

/// The value of an unsigned integer slice without sign, fraction or exponent; nothing otherwise.
std::optional<std::uint64_t> json_unsigned(const JsonSlice& slice);

/// Appends `text` as a quoted JSON string; escapes quotes, backslashes and control characters only.
/// Each byte that is not part of well-formed UTF-8 becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

/// Whether `text` is well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms).
bool is_utf8(std::string_view text);

}  // namespace vouch::format
