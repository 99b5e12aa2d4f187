#include "request_head.h"

#include <algorithm>

#include "parameters.h"
#include "problem.h"

namespace vouch::http {
namespace {

bool token(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return letter || (c >= '0' && c <= '9') || kMarks.find(c) != std::string_view::npos;
  });
}

bool visible(char c) {
  return c > ' ' && c < '\x7f';
}

std::string_view take_line(std::string_view& head) {
  const std::size_t end = head.find("\r\n");
  if (end == std::string_view::npos) bad("the request's head does not end in an empty line");
  const std::string_view line = head.substr(0, end);
  head.remove_prefix(end + 2);
  return line;
}

/// "/path?query", or the same behind "http://host" (RFC 9112 section 3.2.2).
void read_target(std::string_view target, Request& request) {
  if (target.size() > kMaxTargetBytes) {
    Problem problem{ProblemType::too_large, "the request target is too long", {}, {}};
    problem.status = 414;
    throw Rejection{std::move(problem)};
  }
  if (!std::all_of(target.begin(), target.end(), visible)) bad("the request target is malformed");
  if (target.substr(0, 7) == "http://") {
    // The host ends where a path, a query or a fragment begins (RFC 3986 section 3.2).
    target.remove_prefix(std::min(target.find_first_of("/?#", 7), target.size()));
  }
  if (target.empty() || target[0] != '/') bad("the request target must begin with /");
  const std::size_t mark = std::min(target.find('?'), target.size());
  request.path = target.substr(0, mark);
  if (mark < target.size()) request.raw_query = target.substr(mark + 1);
}

void read_request_line(std::string_view line, Request& request) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) bad("the request line is malformed");
  request.method = line.substr(0, first);
  if (!token(request.method) || request.method.size() > 32) bad("the method is malformed");
  const std::string_view version = line.substr(last + 1);
  if (version == "HTTP/1.0") {
    request.minor_version = 0;
  } else if (version != "HTTP/1.1") {
    Problem problem{ProblemType::bad_request, "only HTTP/1.1 and HTTP/1.0 are spoken here", {}, {}};
    if (version.substr(0, 5) == "HTTP/") problem.status = 505;
    throw Rejection{std::move(problem)};
  }
  read_target(line.substr(first + 1, last - first - 1), request);
}

void read_field(std::string_view line, Request& request) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !token(line.substr(0, colon))) {
    bad("a header field is malformed: a name, a colon and a value on one line is right");
  }
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  const bool clean = std::none_of(value.begin(), value.end(), [](char c) {
    return (static_cast<std::uint8_t>(c) < ' ' && c != '\t') || c == '\x7f';
  });
  if (!clean) bad("the header " + std::string(line.substr(0, colon)) + " has control characters");
  request.fields.add(std::string(line.substr(0, colon)), std::string(value));
}

bool list_has(std::string_view list, std::string_view wanted) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    std::string_view item = list.substr(0, end);
    while (!item.empty() && item.front() == ' ') item.remove_prefix(1);
    while (!item.empty() && item.back() == ' ') item.remove_suffix(1);
    if (equal_ignoring_case(item, wanted)) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

}  // namespace

Request parse_head(std::string_view head) {
  Request request;
  read_request_line(take_line(head), request);
  for (;;) {
    const std::string_view line = take_line(head);
    if (line.empty()) break;
    read_field(line, request);
  }
  const std::size_t hosts = request.fields.count("Host");
  if (hosts > 1 || (hosts == 0 && request.minor_version == 1)) {
    bad("a request needs exactly one header Host");
  }
  return request;
}

Framing read_framing(const Request& request) {
  Framing framing;
  const auto coding = request.fields.joined("Transfer-Encoding");
  const std::size_t lengths = request.fields.count("Content-Length");
  if (coding) {
    if (lengths > 0) bad("Transfer-Encoding and Content-Length exclude each other");
    if (request.minor_version == 0) bad("HTTP/1.0 has no Transfer-Encoding");
    if (!equal_ignoring_case(*coding, "chunked")) {
      bad("of the transfer codings only \"chunked\" is understood");
    }
    framing.chunked = true;
  }
  if (lengths > 1) bad("the header Content-Length is given twice");
  if (lengths == 1) {
    const auto length = parse_number(*request.fields.find("Content-Length"));
    if (!length) bad("the header Content-Length must be a number");
    framing.length = *length;
  }
  const auto encoding = request.fields.find("Content-Encoding");
  if (encoding && !equal_ignoring_case(*encoding, "identity")) {
    reject(ProblemType::unsupported_media_type, "bodies are taken without Content-Encoding");
  }
  const auto expect = request.fields.find("Expect");
  if (expect && !equal_ignoring_case(*expect, "100-continue")) {
    Problem problem{ProblemType::bad_request, "only Expect: 100-continue is known", {}, {}};
    problem.status = 417;
    throw Rejection{std::move(problem)};
  }
  framing.expect_continue = expect.has_value() && request.minor_version == 1;
  const std::string connection = request.fields.joined("Connection").value_or(std::string());
  framing.keep_alive = request.minor_version == 1 && !list_has(connection, "close");
  return framing;
}

}  // namespace vouch::http
