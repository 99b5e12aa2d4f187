// Puts responses on the wire. Stateless but for the channel.
#pragma once

#include <chrono>
#include <string>

#include "channel.h"
#include "message.h"

namespace vouch::http {

/// How a response goes out, which the request decides.
struct WireForm {
  bool head_only = false;  ///< the request was a HEAD
  bool chunks = true;      ///< the client knows HTTP/1.1
  bool keep_alive = true;
};

/// Status line and fields, up to the empty line. `framing` is "Content-Length: 7" or
/// "Transfer-Encoding: chunked", or empty.
std::string head_text(const Response& response, const std::string& framing, bool keep_alive);

/// One chunk. Nothing for no bytes: an empty chunk is the end.
void append_chunk(std::string& out, std::string_view bytes);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

/// Writes the whole response; a source that fails in the middle breaks the connection. Returns
/// whether the connection can go on. Pre: it is not a follow; its source, if any, has given
/// `first`.
bool write_response(Channel& channel, const Response& response, const BodyPart* first,
                    WireForm form, std::chrono::milliseconds patience);

}  // namespace vouch::http
