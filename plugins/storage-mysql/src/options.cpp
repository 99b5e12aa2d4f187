#include "options.h"

#include "server_uri.h"

namespace vouch::mysql {

namespace {

std::chrono::seconds whole_seconds(const Settings& settings, const char* key) {
  return std::chrono::ceil<std::chrono::seconds>(settings.duration(key));
}

std::string text_or(const Settings& settings, const char* key, std::string otherwise) {
  return settings.has(key) ? settings.text(key) : std::move(otherwise);
}

Tls tls_from(const std::string& choice) {
  if (choice == "required") return Tls::required;
  if (choice == "verify_ca") return Tls::verify_ca;
  if (choice == "verify_identity") return Tls::verify_identity;
  return Tls::off;
}

}  // namespace

std::string Options::place() const {
  const std::string server = socket.empty() ? host + ":" + std::to_string(port) : socket;
  return "database " + database + " on " + server;
}

Options options_from(const Settings& settings) {
  Options options;
  if (settings.has("uri")) {
    if (const Result<ServerUri> uri = parse_server_uri(settings.text("uri")); uri.ok()) {
      if (!uri->host.empty()) options.host = uri->host;
      if (uri->port != 0) options.port = uri->port;
      options.user = uri->user;
      options.password = uri->password;
      options.database = uri->database;
    }
  }
  options.host = text_or(settings, "host", options.host);
  if (settings.has("port")) options.port = static_cast<std::uint16_t>(settings.integer("port"));
  options.socket = text_or(settings, "socket", {});
  options.user = text_or(settings, "user", options.user);
  options.password = text_or(settings, "password", options.password);
  options.database = text_or(settings, "database", options.database);
  options.tls = tls_from(settings.text("tls"));
  options.tls_ca = text_or(settings, "tls_ca", {});
  options.tls_certificate = text_or(settings, "tls_certificate", {});
  options.tls_key = text_or(settings, "tls_key", {});
  options.connect_timeout = whole_seconds(settings, "connect_timeout");
  options.lock_timeout = whole_seconds(settings, "lock_timeout");
  options.statement_timeout = whole_seconds(settings, "statement_timeout");
  options.idle_transaction_timeout = whole_seconds(settings, "idle_transaction_timeout");
  options.lost_host_timeout = whole_seconds(settings, "lost_host_timeout");
  options.readers = static_cast<std::uint32_t>(settings.integer("readers"));
  return options;
}

void validate_settings(const Settings& settings, SettingProblems& problems) {
  ServerUri uri;
  if (settings.has("uri")) {
    Result<ServerUri> parsed = parse_server_uri(settings.text("uri"));
    if (!parsed.ok()) {
      problems.problem("uri", parsed.status().message());
      return;
    }
    uri = std::move(parsed).value();
  }
  if (!settings.has("user") && uri.user.empty()) {
    problems.problem("user", "is missing, here or in uri");
  }
  if (!settings.has("database") && uri.database.empty()) {
    problems.problem("database", "is missing, here or at the end of uri");
  }
  if (settings.has("socket") && (settings.has("host") || settings.has("port"))) {
    problems.problem("socket", "stands instead of host and port; give one of them");
  }
  const Tls tls = tls_from(settings.text("tls"));
  if (tls >= Tls::verify_ca && !settings.has("tls_ca")) {
    problems.problem("tls_ca", "is needed to verify the server's certificate");
  }
  if (settings.has("tls_certificate") != settings.has("tls_key")) {
    problems.problem("tls_key", "and tls_certificate go together");
  }
  if (tls == Tls::off &&
      (settings.has("tls_ca") || settings.has("tls_certificate") || settings.has("tls_key"))) {
    problems.problem("tls", "is off, so the other tls_ settings would do nothing");
  }
}

}  // namespace vouch::mysql
