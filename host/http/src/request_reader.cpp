#include "request_reader.h"

#include <algorithm>
#include <charconv>

#include "problem.h"

namespace vouch::http {
namespace {

constexpr std::size_t kMaxLineBytes = 4'096;     // of chunk sizes and trailers
constexpr std::size_t kMaxTrailerBytes = 8'192;  // of all trailers

[[noreturn]] void too_large(std::uint64_t limit) {
  reject(ProblemType::too_large, "the body has more than " + std::to_string(limit) + " bytes");
}

std::uint64_t chunk_size(std::string_view line) {
  const std::string_view digits = line.substr(0, line.find_first_of("; \t"));
  std::uint64_t size = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), size, 16);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) {
    reject(ProblemType::bad_request, "the chunked body has a malformed chunk size");
  }
  return size;
}

}  // namespace

bool RequestReader::wait_for_request(TimePoint deadline) {
  // Empty lines in front of a request are skipped (RFC 9112 section 2.2).
  for (;;) {
    const std::size_t start = std::min(buffer_.find_first_not_of("\r\n"), buffer_.size());
    buffer_.erase(0, start);
    if (!buffer_.empty()) return true;
    if (channel_.read_some(buffer_, deadline) != Channel::Outcome::ok) return false;
  }
}

bool RequestReader::read_more(TimePoint deadline) {
  switch (channel_.read_some(buffer_, deadline)) {
    case Channel::Outcome::ok:
      // A peer that sends byte by byte never lets a read wait, so the clock is asked here too.
      if (std::chrono::steady_clock::now() < deadline) return true;
      [[fallthrough]];
    case Channel::Outcome::timeout:
      reject(ProblemType::request_timeout, "the request did not arrive in time");
    case Channel::Outcome::closed:
      break;
  }
  return false;
}

std::optional<Request> RequestReader::read_head(TimePoint deadline) {
  std::size_t searched = 0;
  for (;;) {
    const std::size_t end = buffer_.find("\r\n\r\n", searched);
    if (end != std::string::npos && end + 4 <= kMaxHeadBytes) {
      const std::string head = buffer_.substr(0, end + 4);
      buffer_.erase(0, end + 4);
      return parse_head(head);
    }
    if (buffer_.size() >= kMaxHeadBytes) {
      Problem problem{ProblemType::too_large, "the request's head is too large", {}, {}};
      problem.status = buffer_.find("\r\n") < kMaxHeadBytes ? 431 : 414;
      throw Rejection{std::move(problem)};
    }
    searched = buffer_.size() < 3 ? 0 : buffer_.size() - 3;
    if (!read_more(deadline)) return std::nullopt;
  }
}

std::optional<std::string> RequestReader::read_body(const Framing& framing, std::uint64_t limit,
                                                    TimePoint deadline) {
  if (framing.chunked) return read_chunks(limit, deadline);
  if (framing.length > limit) too_large(limit);
  while (buffer_.size() < framing.length) {
    if (!read_more(deadline)) return std::nullopt;
  }
  std::string rest = buffer_.substr(framing.length);
  buffer_.resize(framing.length);
  return std::exchange(buffer_, std::move(rest));
}

std::optional<std::string> RequestReader::read_chunks(std::uint64_t limit, TimePoint deadline) {
  std::string body;
  for (;;) {
    const auto line = read_line(deadline);
    if (!line) return std::nullopt;
    const std::uint64_t size = chunk_size(*line);
    if (size == 0) break;
    if (size > limit - body.size()) too_large(limit);
    while (buffer_.size() < size + 2) {
      if (!read_more(deadline)) return std::nullopt;
    }
    if (buffer_.compare(size, 2, "\r\n") != 0) {
      reject(ProblemType::bad_request, "the chunked body has a chunk longer than its size");
    }
    body.append(buffer_, 0, size);
    buffer_.erase(0, size + 2);
  }
  std::size_t trailers = 0;
  for (;;) {
    const auto line = read_line(deadline);
    if (!line) return std::nullopt;
    if (line->empty()) return body;
    trailers += line->size();
    if (trailers > kMaxTrailerBytes) {
      reject(ProblemType::bad_request, "the chunked body has too many trailers");
    }
  }
}

std::optional<std::string> RequestReader::read_line(TimePoint deadline) {
  for (;;) {
    const std::size_t end = buffer_.find("\r\n");
    if (end != std::string::npos && end <= kMaxLineBytes) {
      std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 2);
      return line;
    }
    // One byte more may be the first half of the line's end.
    if (buffer_.size() > kMaxLineBytes + 1) {
      reject(ProblemType::bad_request, "the chunked body has too long a line");
    }
    if (!read_more(deadline)) return std::nullopt;
  }
}

}  // namespace vouch::http
