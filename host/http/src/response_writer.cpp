#include "response_writer.h"

#include <Poco/DateTimeFormat.h>
#include <Poco/DateTimeFormatter.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Timestamp.h>

#include <array>
#include <charconv>
#include <ctime>

namespace vouch::http {
namespace {

/// No body, whatever the response holds (RFC 9112 section 6.3).
bool bodiless(int status) {
  return status == 204 || status == 304;
}

/// The time as the field Date has it. Each thread makes the text once a second: it takes longer
/// than the rest of a head.
const std::string& date_text() {
  thread_local std::time_t made = 0;
  thread_local std::string text;
  const Poco::Timestamp now;
  if (text.empty() || now.epochTime() != made) {
    made = now.epochTime();
    text = Poco::DateTimeFormatter::format(now, Poco::DateTimeFormat::HTTP_FORMAT);
  }
  return text;
}

/// Writes the pieces of the source, `first` being the first of several.
bool write_pieces(Channel& channel, const Response& response, const BodyPart& first, bool chunks,
                  std::chrono::milliseconds patience) {
  BodyPart part = first;
  part.bytes.insert(0, response.body);
  for (;;) {
    std::string wire;
    if (chunks) {
      append_chunk(wire, part.bytes);
      if (part.last) wire += kLastChunk;
    } else {
      wire = std::move(part.bytes);
    }
    if (channel.write(wire, patience) != Channel::Outcome::ok) return false;
    if (part.last) return true;
    auto next = response.source();
    if (!next.ok()) {
      channel.break_on_close();
      return false;
    }
    part = *std::move(next);
  }
}

}  // namespace

std::string head_text(const Response& response, const std::string& framing, bool keep_alive) {
  using Poco::Net::HTTPResponse;
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + ' ';
  head += HTTPResponse::getReasonForStatus(static_cast<HTTPResponse::HTTPStatus>(response.status));
  head.append("\r\nServer: vouch\r\nDate: ").append(date_text()).append("\r\n");
  if (!keep_alive) head += "Connection: close\r\n";
  if (!framing.empty()) head.append(framing).append("\r\n");
  for (const auto& [name, value] : response.fields.all()) {
    head.append(name).append(": ").append(value).append("\r\n");
  }
  return head.append("\r\n");
}

void append_chunk(std::string& out, std::string_view bytes) {
  if (bytes.empty()) return;
  std::array<char, 16> digits;
  const auto [end, error] =
      std::to_chars(digits.data(), digits.data() + digits.size(), bytes.size(), 16);
  out.append(digits.data(), static_cast<std::size_t>(end - digits.data())).append("\r\n");
  out.append(bytes).append("\r\n");
}

bool write_response(Channel& channel, const Response& response, const BodyPart* first,
                    WireForm form, std::chrono::milliseconds patience) {
  const bool pieces = first != nullptr && !first->last;
  const bool keep_alive = form.keep_alive && (!pieces || form.chunks);
  std::string framing;
  if (pieces) {
    if (form.chunks) framing = "Transfer-Encoding: chunked";
  } else if (!bodiless(response.status) && !(form.head_only && response.source)) {
    // The length of a HEAD's body is left out when finding it would mean making the body.
    const bool unknown = form.head_only && response.body.empty();
    const std::size_t size = response.body.size() + (first != nullptr ? first->bytes.size() : 0);
    if (!unknown) framing = "Content-Length: " + std::to_string(size);
  }
  std::string wire = head_text(response, framing, keep_alive);
  const bool body = !form.head_only && !bodiless(response.status);
  if (body && !pieces) {
    wire += response.body;
    if (first != nullptr) wire += first->bytes;
  }
  if (channel.write(wire, patience) != Channel::Outcome::ok) return false;
  if (body && pieces && !write_pieces(channel, response, *first, form.chunks, patience)) {
    return false;
  }
  return keep_alive;
}

}  // namespace vouch::http
