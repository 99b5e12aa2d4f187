#include "options.h"

#include <stdexcept>

namespace broker_redis {

namespace {

std::string text_or_empty(const vouch::Settings& settings, std::string_view key) {
  return settings.has(key) ? settings.text(key) : std::string();
}

std::chrono::milliseconds milliseconds(const vouch::Settings& settings, std::string_view key) {
  return std::chrono::ceil<std::chrono::milliseconds>(settings.duration(key));
}

Tls tls_of(std::string_view text) {
  if (text == "required") return Tls::required;
  if (text == "verify_ca") return Tls::verify_ca;
  if (text == "verify_identity") return Tls::verify_identity;
  return Tls::off;
}

Demand demand_of(std::string_view text) {
  if (text == "everysec") return Demand::everysec;
  if (text == "always") return Demand::always;
  return Demand::unchecked;
}

std::string not_an_address(const std::string& text) {
  return "'" + text + "' is not HOST:PORT";
}

Address address_of(const std::string& text) {
  const auto address = parse_address(text);
  if (!address) throw std::invalid_argument(not_an_address(text));
  return *address;
}

}  // namespace

Options Options::from(const vouch::Settings& settings) {
  Options options;
  for (const std::string& text : settings.list("addresses")) {
    options.addresses.push_back(address_of(text));
  }
  if (options.addresses.empty()) throw std::invalid_argument("addresses names no Redis");
  options.user = text_or_empty(settings, "user");
  options.password = text_or_empty(settings, "password");
  options.prefix = settings.text("prefix");
  options.tls = tls_of(settings.text("tls"));
  options.tls_ca = text_or_empty(settings, "tls_ca");
  options.tls_certificate = text_or_empty(settings, "tls_certificate");
  options.tls_key = text_or_empty(settings, "tls_key");
  options.partitions = static_cast<std::uint32_t>(settings.integer("partitions"));
  options.max_length = static_cast<std::uint64_t>(settings.integer("max_length"));
  options.validation_max_length =
      static_cast<std::uint64_t>(settings.integer("validation_max_length"));
  options.durability = demand_of(settings.text("durability"));
  options.replicas = static_cast<std::uint32_t>(settings.integer("replicas"));
  options.connect_timeout = milliseconds(settings, "connect_timeout");
  options.command_timeout = milliseconds(settings, "command_timeout");
  options.keep_alive = milliseconds(settings, "keep_alive");
  options.window = static_cast<std::size_t>(settings.integer("window"));
  options.max_message_bytes = settings.size("max_message_bytes");
  options.queue_messages = static_cast<std::size_t>(settings.integer("queue_messages"));
  options.queue_bytes = settings.size("queue_bytes");
  options.fetch_messages = static_cast<std::size_t>(settings.integer("fetch_messages"));
  if (settings.has("connect_to")) {
    for (const auto& [from, to] : settings.map("connect_to")) {
      options.connect_to.emplace(address_of(from).text(), address_of(to));
    }
  }
  return options;
}

void Options::validate(const vouch::Settings& settings, vouch::SettingProblems& problems) {
  const auto addresses = settings.list("addresses");
  if (addresses.empty())
    problems.problem("addresses", "names no Redis; write at least one HOST:PORT");
  for (const std::string& text : addresses) {
    if (!parse_address(text)) problems.problem("addresses", not_an_address(text));
  }
  if (settings.has("connect_to")) {
    for (const auto& [from, to] : settings.map("connect_to")) {
      for (const std::string& text : {from, to}) {
        if (!parse_address(text)) problems.problem("connect_to", not_an_address(text));
      }
    }
  }
  const bool has_password = !text_or_empty(settings, "password").empty();
  if (!text_or_empty(settings, "user").empty() && !has_password) {
    problems.problem("user", "a user without a password can't log in: set 'password'");
  }
  const bool encrypted = settings.text("tls") != "off";
  for (const char* key : {"tls_ca", "tls_certificate", "tls_key"}) {
    if (settings.has(key) && !encrypted) {
      problems.problem(key, "has no effect while 'tls' is off");
    }
  }
  if (settings.has("tls_certificate") != settings.has("tls_key")) {
    problems.problem(settings.has("tls_key") ? "tls_key" : "tls_certificate",
                     "tls_certificate and tls_key belong together");
  }
}

}  // namespace broker_redis
