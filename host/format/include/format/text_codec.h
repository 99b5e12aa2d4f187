// Text forms of what clients see as opaque: cursors, transactions, ids; base64 and RFC 3339 times.
// Stateless, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "vouch/types.h"

namespace vouch::format {

/// RFC 4648 section 4, with padding.
std::string base64(std::string_view bytes);
/// Strict: padding, alphabet and length must be right, and bits that stand for nothing zero.
std::optional<std::string> from_base64(std::string_view text);
/// RFC 4648 section 5, without padding.
std::string base64url(std::string_view bytes);
std::optional<std::string> from_base64url(std::string_view text);

/// "c" and the base64url of the bytes; the empty cursor is "start". `cursor_from_text` refuses
/// everything else.
std::string cursor_text(const Cursor& cursor);
std::string cursor_text(std::string_view cursor_bytes);
std::optional<Cursor> cursor_from_text(std::string_view text);

/// "<lane>-<batch, hex>-<native, base64url>". `token_from_text` takes exactly what `token_text`
/// gives: lower-case digits, no leading zeros, at most 64 native bytes.
std::string token_text(const Token& token);
std::optional<Token> token_from_text(std::string_view text);

/// "2026-11-23T16:06:11.123456Z": always UTC and microseconds. Times outside the
/// years 0000 to 9999, which RFC 3339 can't write, become the first or last that it can.
std::string time_text(Timestamp time);
/// RFC 3339 with any offset; fractions beyond microseconds are cut. Second 60 is taken where UTC
/// may have a leap second (the end of a month) and means the second behind it.
std::optional<Timestamp> time_from_text(std::string_view text);

}  // namespace vouch::format
