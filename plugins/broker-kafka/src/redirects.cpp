#include "redirects.h"

#include <netdb.h>

#include <algorithm>
#include <charconv>

namespace vouch::kafka {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  });
  return out;
}

Status not_an_address(std::string_view text, const char* why) {
  return {StatusCode::invalid_argument, "\"" + std::string(text) + "\" " + why +
                                            "; write HOST:PORT, such as kafka-1:9092 or "
                                            "[2001:db8::1]:9092"};
}

}  // namespace

Result<Address> Address::parse(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || text.ends_with(']')) {
    return not_an_address(text, "has no port");
  }
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  Address address;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
  if (error != std::errc() || end != digits.data() + digits.size() || address.port == 0) {
    return not_an_address(text, "has no port from 1 to 65535 behind its last colon");
  }
  const bool brackets = host.size() > 2 && host.starts_with('[') && host.ends_with(']');
  if (brackets) host = host.substr(1, host.size() - 2);
  if (!brackets && host.find(':') != std::string_view::npos) {
    return not_an_address(text, "has an IPv6 address without brackets, or something before it");
  }
  if (host.empty() || host.find_first_of("[]/=,@ \t") != std::string_view::npos) {
    return not_an_address(text, "names no host");
  }
  address.host = lower(host);
  return address;
}

std::string Address::text() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<Redirects> Redirects::parse(const Entries& entries) {
  Redirects redirects;
  for (const auto& [written, text] : entries) {
    const auto broker = Address::parse(written);
    if (!broker.ok()) return broker.status().with_context("a broker's address");
    const auto target = Address::parse(text);
    if (!target.ok()) return target.status().with_context("where to connect for " + written);
    const auto [place, fresh] = redirects.all_.try_emplace(*broker, Redirect{written, *target});
    if (fresh) continue;
    return Status(StatusCode::invalid_argument, place->second.written + " and " + written +
                                                    " are the same broker; keep one of them");
  }
  return redirects;
}

const Redirects::Redirect* Redirects::find(const Address& broker) const {
  const auto found = all_.find(broker);
  return found == all_.end() ? nullptr : &found->second;
}

int Redirects::resolve(const char* node, const char* service, const addrinfo* hints,
                       addrinfo** found) const {
  if (node == nullptr) {
    ::freeaddrinfo(*found);
    return 0;
  }
  Address broker{lower(node), 0};
  const std::string_view digits(service);
  std::from_chars(digits.data(), digits.data() + digits.size(), broker.port);
  const Redirect* const redirect = find(broker);
  if (redirect == nullptr) return ::getaddrinfo(node, service, hints, found);
  addrinfo wanted = *hints;
  wanted.ai_family = AF_UNSPEC;  // broker.address.family is of the brokers' own addresses
  return ::getaddrinfo(redirect->target.host.c_str(), std::to_string(redirect->target.port).c_str(),
                       &wanted, found);
}

}  // namespace vouch::kafka
