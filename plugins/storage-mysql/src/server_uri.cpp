#include "server_uri.h"

#include <charconv>
#include <optional>

namespace vouch::mysql {

namespace {

constexpr std::string_view kForm = "must look like mysql://user:password@host:port/database";

Status wrong(std::string_view what) {
  return {StatusCode::invalid_argument, std::string(kForm) + "; " + std::string(what)};
}

std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    unsigned value = 0;
    if (i + 2 >= text.size()) return std::nullopt;
    const char* end = text.data() + i + 3;
    const auto parsed = std::from_chars(text.data() + i + 1, end, value, 16);
    if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
    out.push_back(static_cast<char>(value));
    i += 2;
  }
  return out;
}

/// Splits "[::1]:3306", "name:3306" and "name".
bool split_host(std::string_view text, ServerUri& uri) {
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return false;
    port = text.substr(close + 1);
    if (!port.empty() && port.front() != ':') return false;
    uri.host = text.substr(1, close - 1);
  } else {
    const std::size_t colon = text.find(':');
    if (colon != std::string_view::npos) port = text.substr(colon);
    uri.host = text.substr(0, colon);
  }
  if (port.empty()) return true;
  port.remove_prefix(1);
  const auto parsed = std::from_chars(port.data(), port.data() + port.size(), uri.port);
  return parsed.ec == std::errc{} && parsed.ptr == port.data() + port.size() && uri.port != 0;
}

}  // namespace

Result<ServerUri> parse_server_uri(std::string_view text) {
  std::string_view rest = text;
  bool known = false;
  for (const std::string_view scheme : {"mysql://", "mariadb://"}) {
    if (!known && rest.starts_with(scheme)) {
      rest.remove_prefix(scheme.size());
      known = true;
    }
  }
  if (!known) return wrong("it begins with another scheme");
  if (rest.find_first_of("?#") != std::string_view::npos) {
    return wrong("options are settings of their own; write ? as %3F and # as %23");
  }
  ServerUri uri;
  std::string_view authority = rest.substr(0, rest.find('/'));
  if (authority.size() < rest.size()) {
    const auto database = decoded(rest.substr(authority.size() + 1));
    if (!database || database->find('/') != std::string::npos) {
      return wrong("the database's name is not valid");
    }
    uri.database = *database;
  }
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    const std::string_view login = authority.substr(0, at);
    authority.remove_prefix(at + 1);
    const std::size_t colon = login.find(':');
    const auto user = decoded(login.substr(0, colon));
    const auto password =
        decoded(colon == std::string_view::npos ? std::string_view() : login.substr(colon + 1));
    if (!user || !password) return wrong("a % must be followed by two hexadecimal digits");
    uri.user = *user;
    uri.password = *password;
  }
  if (!split_host(authority, uri)) return wrong("host or port is not valid");
  return uri;
}

}  // namespace vouch::mysql
