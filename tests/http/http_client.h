// A blocking HTTP client for tests that shows everything: raw bytes out, answers in with their
// fields and chunks undone. Nothing waits longer than ten seconds.
#pragma once

#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>
#include <Poco/Timespan.h>

#include <catch2/catch.hpp>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "message.h"

namespace vouch::tests {

struct Answer {
  int status = 0;
  http::Fields fields;
  std::string body;
  bool complete = true;  ///< the body came to its proper end

  [[nodiscard]] std::string field(std::string_view name) const {
    return std::string(fields.find(name).value_or("(none)"));
  }
  [[nodiscard]] bool has(std::string_view text) const {
    return body.find(text) != std::string::npos;
  }
  /// The text value of a member of a flat part of the body, or "".
  [[nodiscard]] std::string text(const std::string& name) const {
    const std::string mark = '"' + name + "\":\"";
    const std::size_t at = body.find(mark);
    if (at == std::string::npos) return {};
    const std::size_t start = at + mark.size();
    return body.substr(start, body.find('"', start) - start);
  }
};

using FieldList = std::vector<std::pair<std::string, std::string>>;

class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(Poco::Net::SocketAddress("127.0.0.1", port)) {
    socket_.setReceiveTimeout(Poco::Timespan(10, 0));
    socket_.setSendTimeout(Poco::Timespan(10, 0));
  }

  void send_raw(std::string_view bytes) {
    while (!bytes.empty()) {
      const int sent = socket_.sendBytes(bytes.data(), static_cast<int>(bytes.size()));
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  void send(const std::string& method, const std::string& target, const FieldList& fields = {},
            const std::string& body = {}) {
    std::string text = method + ' ' + target + " HTTP/1.1\r\nHost: test\r\n";
    for (const auto& [name, value] : fields) text += name + ": " + value + "\r\n";
    if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    send_raw(text + "\r\n" + body);
  }

  /// Status line and fields of the next answer.
  Answer read_head() {
    Answer answer;
    const std::string line = read_line();
    if (line.size() < 12) throw std::runtime_error("no answer: \"" + line + '"');
    answer.status = std::stoi(line.substr(9, 3));
    for (;;) {
      const std::string field = read_line();
      if (field.empty()) return answer;
      const std::size_t colon = field.find(": ");
      answer.fields.add(field.substr(0, colon), field.substr(colon + 2));
    }
  }

  Answer read_answer(bool head_only = false) {
    Answer answer = read_head();
    if (answer.status == 100) answer = read_head();
    return read_body(std::move(answer), head_only);
  }

  /// The answer of that head with its body.
  Answer read_body(Answer answer, bool head_only = false) {
    if (head_only || answer.status == 204 || answer.status == 304) return answer;
    if (answer.fields.find("Transfer-Encoding")) {
      for (;;) {
        const auto chunk = read_chunk();
        if (!chunk) answer.complete = false;
        if (!chunk || chunk->empty()) return answer;
        answer.body += *chunk;
      }
    }
    const auto length = answer.fields.find("Content-Length");
    if (length) {
      answer.body = read_exactly(std::stoul(std::string(*length)));
    } else {
      while (fill()) continue;
      answer.body = std::exchange(buffer_, {});
    }
    return answer;
  }

  Answer ask(const std::string& method, const std::string& target, const FieldList& fields = {},
             const std::string& body = {}) {
    send(method, target, fields, body);
    return read_answer(method == "HEAD");
  }

  /// Empty for the last chunk, nothing when the connection ended before it.
  std::optional<std::string> read_chunk() {
    try {
      const std::size_t size = std::stoul(read_line(), nullptr, 16);
      std::string bytes = read_exactly(size + 2);
      bytes.resize(size);
      return bytes;
    } catch (const std::exception&) {
      return std::nullopt;
    }
  }

  /// Up to a line's end, across chunks; nothing at the end of the answer. For followers.
  std::optional<std::string> read_text_line() {
    for (;;) {
      const std::size_t end = text_.find('\n');
      if (end != std::string::npos) {
        std::string line = text_.substr(0, end);
        text_.erase(0, end + 1);
        return line;
      }
      const auto chunk = read_chunk();
      if (!chunk || chunk->empty()) return std::nullopt;
      text_ += *chunk;
    }
  }

  /// Reads until `text` was seen in what is not framed; false at the end of the connection.
  bool read_until(std::string_view text) {
    while (buffer_.find(text) == std::string::npos) {
      if (!fill()) return false;
    }
    return true;
  }

  /// True when the peer has ended the connection and nothing is left to read.
  bool at_end() { return buffer_.empty() && !fill(); }

  Poco::Net::StreamSocket& socket() { return socket_; }

 private:
  bool fill() {
    char bytes[16'384];
    try {
      const int got = socket_.receiveBytes(bytes, sizeof bytes);
      if (got <= 0) return false;
      buffer_.append(bytes, static_cast<std::size_t>(got));
      return true;
    } catch (const Poco::TimeoutException&) {
      throw std::runtime_error("the server did not answer in ten seconds");
    } catch (const Poco::Exception&) {
      return false;  // reset
    }
  }

  std::string read_line() {
    for (;;) {
      const std::size_t end = buffer_.find("\r\n");
      if (end != std::string::npos) {
        std::string line = buffer_.substr(0, end);
        buffer_.erase(0, end + 2);
        return line;
      }
      if (!fill()) throw std::runtime_error("the connection ended in the middle of a line");
    }
  }

  std::string read_exactly(std::size_t size) {
    while (buffer_.size() < size) {
      if (!fill()) throw std::runtime_error("the connection ended in the middle of a body");
    }
    std::string bytes = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return bytes;
  }

  Poco::Net::StreamSocket socket_;
  std::string buffer_;
  std::string text_;
};

/// An answer that is a problem of that status and type, with a detail.
inline void check_problem(const Answer& answer, int status, const std::string& type) {
  INFO(answer.body);
  CHECK(answer.status == status);
  CHECK(answer.field("Content-Type") == "application/problem+json");
  CHECK(answer.text("type") == "urn:vouch:problem:" + type);
  CHECK(answer.has("\"status\":" + std::to_string(status)));
  CHECK_FALSE(answer.text("title").empty());
}

}  // namespace vouch::tests
