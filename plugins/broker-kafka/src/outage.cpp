#include "outage.h"

#include <string_view>
#include <utility>

namespace vouch::kafka {
namespace {

struct Hint {
  std::string_view in;     ///< what the reason says
  std::string_view words;  ///< instead of everything from there on
};

constexpr Hint kHints[] = {
    {"certificate verify failed",
     "the server's certificate is of an unknown authority, or of another host (see ssl_ca)"},
    {"unexpected eof",
     "the server ended the connection; does this listener have TLS? (see security_protocol)"},
    {"wrong version number",
     "the server does not speak TLS at this address (see security_protocol)"},
    {"Disconnected while requesting ApiVersion",
     "the server ended the connection at once; does this listener want TLS or a login? (see "
     "security_protocol)"},
};

void cut_from(std::string& text, std::string_view mark) {
  if (const std::size_t at = text.find(mark); at != std::string::npos) text.resize(at);
}

void erase(std::string& text, std::string_view part) {
  if (const std::size_t at = text.find(part); at != std::string::npos) text.erase(at, part.size());
}

/// "ssl://127.0.0.1:9092/bootstrap: Connect to …": the address, and what stands behind it.
std::pair<std::string, std::string> address_and_rest(const std::string& text) {
  const std::size_t end = text.find(": ");
  const std::string_view front = std::string_view(text).substr(0, end);
  const std::size_t slash = front.rfind('/');
  if (end == std::string::npos || slash == std::string_view::npos ||
      front.find(' ') != std::string_view::npos) {
    return {"", text};
  }
  std::string address(front.substr(0, slash));
  if (const std::size_t scheme = address.find("://"); scheme != std::string::npos) {
    address.erase(0, scheme + 3);
  }
  return {address, text.substr(end + 2)};
}

}  // namespace

std::string for_people(const char* reason, const std::string& servers) {
  std::string text = reason == nullptr ? "" : reason;
  cut_from(text, " (after ");
  auto [address, rest] = address_and_rest(text);
  for (const std::string_view part : {"ipv4#", "ipv6#"}) erase(rest, part);
  for (const Hint& hint : kHints) {
    if (rest.find(hint.in) == std::string::npos) continue;
    rest = hint.words;
    break;
  }
  return address.empty() || address == servers ? rest : address + ": " + rest;
}

Outage::Outage(std::string servers, HostServices& services)
    : servers_(std::move(servers)), services_(services) {}

void Outage::down(const std::string& client, const std::string& reason) {
  const std::lock_guard lock(mutex_);
  down_.insert(client);
  if (!told_.empty()) return;
  told_ = reason;
  services_.logger().warning("can't reach Kafka; trying again",
                             {{"brokers", servers_}, {"reason", reason}});
}

void Outage::up(const std::string& client) {
  const std::lock_guard lock(mutex_);
  down_.erase(client);
  if (!down_.empty() || told_.empty()) return;
  told_.clear();
  services_.logger().info("connected again", {{"brokers", servers_}});
}

}  // namespace vouch::kafka
