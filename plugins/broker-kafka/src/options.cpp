#include "options.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "client_conf.h"

namespace vouch::kafka {
namespace {

std::string machine_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "host";
  return name.data();
}

std::string text_or(const Settings& settings, const char* key, std::string otherwise) {
  return settings.has(key) ? settings.text(key) : std::move(otherwise);
}

/// Whether librdkafka (2.2 and later) is told to take the names of brokers from their addresses,
/// which are those of the tunnels then.
bool names_from_addresses(const Settings& settings) {
  if (!settings.has("properties")) return false;
  const auto properties = settings.map("properties");
  const std::pair<std::string, std::string> lookup{"client.dns.lookup",
                                                   "resolve_canonical_bootstrap_servers_only"};
  return std::ranges::find(properties, lookup) != properties.end();
}

}  // namespace

Options options_from(const Settings& settings) {
  Options options;
  for (const std::string& server : settings.list("bootstrap_servers")) {
    options.bootstrap_servers += (options.bootstrap_servers.empty() ? "" : ",") + server;
  }
  options.client_id = text_or(settings, "client_id", "vouch-" + machine_name());
  options.security_protocol = settings.text("security_protocol");
  options.sasl_mechanism = text_or(settings, "sasl_mechanism", {});
  options.sasl_username = text_or(settings, "sasl_username", {});
  options.sasl_password = text_or(settings, "sasl_password", {});
  options.ssl_ca = text_or(settings, "ssl_ca", {});
  options.ssl_certificate = text_or(settings, "ssl_certificate", {});
  options.ssl_key = text_or(settings, "ssl_key", {});
  options.create_topics = settings.boolean("create_topics");
  options.outbound_partitions = static_cast<int>(settings.integer("outbound_partitions"));
  options.replication_factor = static_cast<int>(settings.integer("replication_factor"));
  options.linger = settings.duration("linger");
  options.validation_linger = settings.duration("validation_linger");
  options.compression = settings.text("compression");
  options.max_message_bytes = settings.size("max_message_bytes");
  options.buffer = static_cast<std::size_t>(settings.integer("buffer"));
  options.buffer_bytes = settings.size("buffer_bytes");
  options.statistics_interval = std::chrono::duration_cast<std::chrono::milliseconds>(
      settings.duration("statistics_interval"));
  if (settings.has("properties")) options.properties = settings.map("properties");
  if (settings.has("connect_to")) {
    auto redirects = Redirects::parse(settings.map("connect_to"));
    if (redirects.ok()) options.redirects = std::move(redirects).value();
  }
  return options;
}

void validate_options(const Settings& settings, SettingProblems& problems) {
  if (settings.list("bootstrap_servers").empty()) {
    problems.problem("bootstrap_servers", "must name at least one broker");
  }
  const bool sasl = settings.text("security_protocol").starts_with("sasl");
  const bool ssl = settings.text("security_protocol").ends_with("ssl");
  for (const char* key : {"sasl_mechanism", "sasl_username", "sasl_password"}) {
    if (!sasl && settings.has(key)) {
      problems.problem(key, "has no effect without security_protocol: sasl_ssl or sasl_plaintext");
    }
  }
  for (const char* key : {"ssl_ca", "ssl_certificate", "ssl_key"}) {
    if (!ssl && settings.has(key)) {
      problems.problem(key, "has no effect without security_protocol: ssl or sasl_ssl");
    }
  }
  if (sasl && !settings.has("sasl_mechanism")) {
    problems.problem("sasl_mechanism", "is required with this security_protocol");
  }
  if (settings.has("ssl_key") != settings.has("ssl_certificate")) {
    problems.problem(settings.has("ssl_key") ? "ssl_key" : "ssl_certificate",
                     "ssl_certificate and ssl_key belong together");
  }
  if (settings.integer("replication_factor") == 0) {
    problems.problem("replication_factor", "must be -1 (the brokers' default) or at least 1");
  }
  if (settings.has("connect_to")) {
    const auto redirects = Redirects::parse(settings.map("connect_to"));
    if (!redirects.ok()) problems.problem("connect_to", redirects.status().message());
    if (names_from_addresses(settings)) {
      problems.problem("connect_to",
                       "can't be used with the property client.dns.lookup: "
                       "resolve_canonical_bootstrap_servers_only, which takes the names of brokers "
                       "from the addresses that connections go to; leave that property out");
    }
  }
  if (!settings.has("properties")) return;
  for (const auto& [name, value] : settings.map("properties")) {
    const std::string why = refusal_of_property(name, value);
    if (!why.empty()) problems.problem("properties", why);
  }
}

}  // namespace vouch::kafka
