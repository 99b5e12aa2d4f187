// What a token's `native` part says: the database's transaction id and the session that owned it,
// by process id and start; and the batch, so that no other batch passes for this one.
// "1234.5678.1700000000000000.4294967297", at most 64 bytes. Plain value, any thread.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vouch::postgres {

struct NativeToken {
  std::int64_t transaction = 0;
  std::int64_t backend = 0;
  std::int64_t started = 0;  ///< microseconds since 1970
  std::int64_t batch = 0;

  [[nodiscard]] std::string text() const {
    return std::to_string(transaction) + "." + std::to_string(backend) + "." +
           std::to_string(started) + "." + std::to_string(batch);
  }

  /// Nothing when the text was not made by this plugin.
  static std::optional<NativeToken> parse(std::string_view text) {
    NativeToken token;
    std::int64_t* const parts[] = {&token.transaction, &token.backend, &token.started,
                                   &token.batch};
    for (std::int64_t* part : parts) {
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *part);
      if (error != std::errc() || *part < 0) return std::nullopt;
      text.remove_prefix(static_cast<std::size_t>(end - text.data()));
      if (part == parts[3]) break;
      if (text.empty() || text.front() != '.') return std::nullopt;
      text.remove_prefix(1);
    }
    if (!text.empty()) return std::nullopt;
    return token;
  }
};

}  // namespace vouch::postgres
