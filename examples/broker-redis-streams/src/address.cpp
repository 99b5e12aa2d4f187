#include "address.h"

namespace broker_redis {

namespace {

constexpr int kLargestPort = 65'535;

bool is_port(std::string_view text) {
  if (text.empty() || text.size() > 5) return false;
  int port = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    port = port * 10 + (c - '0');
  }
  return port > 0 && port <= kLargestPort;
}

bool is_host(std::string_view text, bool in_brackets) {
  if (text.empty()) return false;
  constexpr std::string_view kNever = " \t\r\n/@[]";
  if (text.find_first_of(kNever) != std::string_view::npos) return false;
  return in_brackets || text.find(':') == std::string_view::npos;
}

}  // namespace

std::string Address::text() const {
  const bool brackets = host.find(':') != std::string::npos;
  return (brackets ? "[" + host + "]" : host) + ":" + port;
}

std::optional<Address> parse_address(std::string_view text) {
  std::string_view host = text;
  std::string_view rest;
  const bool brackets = text.starts_with('[');
  if (brackets) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
  } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    rest = text.substr(colon);
  }
  if (!is_host(host, brackets)) return std::nullopt;
  if (rest.empty()) return Address{std::string(host), std::string(kDefaultPort)};
  if (rest.front() != ':' || !is_port(rest.substr(1))) return std::nullopt;
  return Address{std::string(host), std::string(rest.substr(1))};
}

}  // namespace broker_redis
