#include "options.h"

#include <unistd.h>

#include <array>
#include <charconv>
#include <optional>

#include "topic_rules.h"

namespace vouch::mqtt_broker {
namespace {

struct Address {
  std::string scheme;
  std::string host;
  std::uint16_t port = 0;
  bool tls = false;
};

/// Reads "mqtt://host:port". Errors name what is wrong, never the text: it may hold a password.
Result<Address> parse_uri(std::string_view text) {
  const auto wrong = [](std::string words) {
    return Status(StatusCode::invalid_argument, std::move(words));
  };
  Address address;
  const std::size_t colon = text.find("://");
  const std::string_view scheme = text.substr(0, colon == text.npos ? 0 : colon);
  if (scheme == "mqtts" || scheme == "ssl") {
    address.tls = true;
  } else if (scheme != "mqtt" && scheme != "tcp") {
    return wrong("must begin with mqtt:// (or tcp://), or with mqtts:// (or ssl://) for TLS");
  }
  std::string_view rest = text.substr(colon + 3);
  if (rest.find('@') != rest.npos) {
    return wrong("must not hold user or password; use the settings user and password");
  }
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find('/') != rest.npos) return wrong("must end behind host and port");
  address.port = address.tls ? 8883 : 1883;
  const std::size_t end = rest.starts_with('[') ? rest.find(']') : rest.find(':');
  const std::size_t port = rest.find(':', end == rest.npos || rest[end] == ':' ? 0 : end);
  if (port != rest.npos) {
    const std::string_view digits = rest.substr(port + 1);
    const auto [last, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
    if (error != std::errc{} || last != digits.data() + digits.size() || address.port == 0) {
      return wrong("has a port that is no number from 1 to 65535");
    }
    rest = rest.substr(0, port);
  }
  if (rest.empty()) return wrong("names no host");
  address.host = std::string(rest);
  return address;
}

std::string machine_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "host";
  return name.data();
}

std::string text_or(const Settings& settings, const char* key, std::string otherwise) {
  return settings.has(key) ? settings.text(key) : std::move(otherwise);
}

std::chrono::seconds whole_seconds(const Settings& settings, const char* key) {
  return std::chrono::ceil<std::chrono::seconds>(settings.duration(key));
}

}  // namespace

Options options_from(const Settings& settings) {
  Options options;
  if (const Result<Address> address = parse_uri(settings.text("uri")); address.ok()) {
    options.tls = address->tls;
    options.host = address->host + ":" + std::to_string(address->port);
    options.uri = (address->tls ? "ssl://" : "tcp://") + options.host;
  }
  options.version5 = settings.text("protocol") == "5";
  options.client_id = text_or(settings, "client_id", "vouch-" + machine_name());
  options.user = text_or(settings, "user", {});
  options.password = text_or(settings, "password", {});
  options.tls_ca = text_or(settings, "tls_ca", {});
  options.tls_certificate = text_or(settings, "tls_certificate", {});
  options.tls_key = text_or(settings, "tls_key", {});
  options.tls_verify = settings.boolean("tls_verify");
  options.window = static_cast<std::size_t>(settings.integer("window"));
  options.buffer = static_cast<std::size_t>(settings.integer("buffer"));
  options.buffer_bytes = settings.size("buffer_bytes");
  options.max_message_bytes = settings.size("max_message_bytes");
  options.retain = settings.boolean("retain");
  options.status_topic = text_or(settings, "status_topic", "vouch/status/" + options.client_id);
  options.nudge_topic = text_or(settings, "nudge_topic", "vouch/nudge/" + options.client_id);
  options.keep_alive = whole_seconds(settings, "keep_alive");
  options.connect_timeout = whole_seconds(settings, "connect_timeout");
  options.queue_messages = static_cast<std::size_t>(settings.integer("queue_messages"));
  options.survives_crash = settings.boolean("survives_crash");
  return options;
}

void validate_options(const Settings& settings, SettingProblems& problems) {
  const Result<Address> address = parse_uri(settings.text("uri"));
  if (!address.ok()) problems.problem("uri", address.status().message());
  const bool tls = address.ok() && address->tls;
  for (const char* key : {"tls_ca", "tls_certificate", "tls_key"}) {
    if (address.ok() && !tls && settings.has(key)) {
      problems.problem(key, "has no effect without mqtts:// in uri");
    }
  }
  if (settings.has("tls_key") != settings.has("tls_certificate")) {
    problems.problem(settings.has("tls_key") ? "tls_key" : "tls_certificate",
                     "tls_certificate and tls_key belong together");
  }
  if (settings.has("password") && !settings.has("user")) {
    problems.problem("password", "needs a user");
  }
  if (settings.has("client_id") && settings.text("client_id").empty()) {
    problems.problem("client_id", "must not be empty: a host must come back under its own name");
  }
  for (const char* key : {"status_topic", "nudge_topic", "client_id"}) {
    if (!settings.has(key) || settings.text(key).empty()) continue;
    if (const Status legal = check_topic(settings.text(key)); !legal.ok()) {
      problems.problem(key, legal.message());
    }
  }
}

}  // namespace vouch::mqtt_broker
