// Reads the head of an HTTP/1.x request from text, strictly: what two readers could understand
// differently is refused, since that is what request smuggling lives on (RFC 9112). Stateless.
#pragma once

#include <cstdint>
#include <string_view>

#include "message.h"

namespace vouch::http {

/// The largest head; the largest request target.
inline constexpr std::size_t kMaxHeadBytes = 32U << 10U;
inline constexpr std::size_t kMaxTargetBytes = 16U << 10U;

/// `head` ends with the empty line. Rejects what is malformed, and too long a target (414).
Request parse_head(std::string_view head);

/// How the body of a request comes, and how the connection goes on.
struct Framing {
  bool chunked = false;
  std::uint64_t length = 0;
  bool expect_continue = false;
  bool keep_alive = true;

  [[nodiscard]] bool has_body() const { return chunked || length > 0; }
};
/// Rejects contradictions.
Framing read_framing(const Request& request);

}  // namespace vouch::http
