// Where backends are, and how hosts are led to a proxy instead.
#include <algorithm>
#include <charconv>
#include <iterator>
#include <map>

#include "prove/scratch_config.h"
#include "scratch_rules.h"

namespace vouch::prove {
namespace {

using config::ConfigDraft;
using Path = ConfigDraft::Path;

/// Host and port of a URI, and where they stand in it.
struct Authority {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string host;
  std::uint16_t port = 0;  ///< 0: none given
};

std::uint16_t port_of(std::string_view text) {
  std::uint16_t port = 0;
  std::from_chars(text.data(), text.data() + text.size(), port);
  return port;
}

std::optional<Authority> authority_of(const std::string& uri) {
  const auto scheme = uri.find("://");
  if (scheme == std::string::npos) return std::nullopt;
  Authority found;
  found.begin = scheme + 3;
  found.end = std::min(uri.find_first_of("/?#", found.begin), uri.size());
  const auto at = uri.rfind('@', found.end);
  if (at != std::string::npos && at >= found.begin && at < found.end) found.begin = at + 1;
  const std::string text = uri.substr(found.begin, found.end - found.begin);
  const auto bracket = text.find(']');
  const auto colon = text.find(':', bracket == std::string::npos ? 0 : bracket);
  found.host = text.substr(0, colon);
  if (found.host.starts_with('[') && found.host.ends_with(']')) {
    found.host = found.host.substr(1, found.host.size() - 2);
  }
  if (colon != std::string::npos) found.port = port_of(std::string_view(text).substr(colon + 1));
  return found;
}

/// libpq's parameters as far as they say where the server is.
std::map<std::string, std::string> libpq_parameters(const std::string& uri) {
  std::map<std::string, std::string> found;
  const auto take = [&](const std::string& text, const char* separators) {
    std::size_t begin = 0;
    while (begin < text.size()) {
      const std::size_t end = std::min(text.find_first_of(separators, begin), text.size());
      const std::string pair = text.substr(begin, end - begin);
      const auto equals = pair.find('=');
      if (equals != std::string::npos) found[pair.substr(0, equals)] = pair.substr(equals + 1);
      begin = end + 1;
    }
  };
  if (const auto authority = authority_of(uri)) {
    found["host"] = authority->host;
    if (authority->port != 0) found["port"] = std::to_string(authority->port);
    if (const auto query = uri.find('?'); query != std::string::npos) {
      take(uri.substr(query + 1), "&");
    }
  } else {
    take(uri, " \t\n");
  }
  return found;
}

Link libpq_link(const std::string& uri, std::uint16_t default_port) {
  auto parameters = libpq_parameters(uri);
  Link link;
  link.host = parameters["hostaddr"].empty() ? parameters["host"] : parameters["hostaddr"];
  link.port = parameters["port"].empty() ? default_port : port_of(parameters["port"]);
  if (link.host.empty() || link.host.find_first_of("/%") != std::string::npos) {
    link.unproxied = "it is reached over a Unix socket";
  } else if (link.host.find(',') != std::string::npos || uri.find(',') != std::string::npos) {
    link.unproxied = "its uri names several servers";
  }
  return link;
}

Link host_port_link(const ConfigDraft& draft, const Path& settings, std::uint16_t default_port) {
  const auto text = [&](const char* key) {
    Path path = settings;
    path.emplace_back(key);
    return draft.text(path).value_or("");
  };
  Link link;
  const auto authority = authority_of(text("uri"));
  link.host = text("host");
  if (link.host.empty() && authority) link.host = authority->host;
  if (link.host.empty()) link.host = "127.0.0.1";
  link.port = port_of(text("port"));
  if (link.port == 0 && authority) link.port = authority->port;
  if (link.port == 0) link.port = default_port;
  if (!text("socket").empty()) link.unproxied = "it is reached over a Unix socket";
  if (text("tls") == "verify_identity") {
    link.unproxied = "its certificate must name the host (tls: verify_identity)";
  }
  return link;
}

Link url_link(const std::string& uri, bool verifies, std::uint16_t default_port) {
  Link link;
  const auto authority = authority_of(uri);
  if (!authority || authority->host.empty()) {
    link.unproxied = "its uri names no host";
    return link;
  }
  link.host = authority->host;
  link.port = authority->port == 0 ? default_port : authority->port;
  const bool tls = uri.starts_with("mqtts:") || uri.starts_with("ssl:");
  if (tls && verifies) link.unproxied = "its certificate must name the host";
  return link;
}

const AddressRule* rule_of(const std::string& plugin) {
  const auto rule = std::ranges::find(kAddressRules, plugin, &AddressRule::plugin);
  return rule == std::end(kAddressRules) ? nullptr : rule;
}

std::optional<Link> link_of(const ConfigDraft& draft, const Path& settings,
                            const std::string& plugin) {
  const AddressRule* rule = rule_of(plugin);
  if (rule == nullptr) return std::nullopt;
  Path uri = settings;
  uri.emplace_back("uri");
  Path verify = settings;
  verify.emplace_back("tls_verify");
  switch (rule->form) {
    case AddressForm::libpq:
      return libpq_link(draft.text(uri).value_or(""), rule->default_port);
    case AddressForm::host_port:
      return host_port_link(draft, settings, rule->default_port);
    case AddressForm::url:
      return url_link(draft.text(uri).value_or(""), draft.text(verify) != "false",
                      rule->default_port);
    case AddressForm::advertised: {
      Link link;
      link.unproxied = "its servers tell clients their own addresses";
      return link;
    }
  }
  return std::nullopt;
}

/// One for each address that the broker's servers and settings tell.
std::vector<Link> links_to_endpoints(const std::string& broker, const PluginFacts& plugin) {
  std::vector<Link> links;
  for (const ServerEndpoint& endpoint : plugin.endpoints) {
    Link link = url_link("tcp://" + endpoint.reached_at, false, 0);
    link.name = "broker " + broker + " at " + endpoint.address;
    link.settings = {"brokers", broker, "settings"};
    link.redirect = {"brokers", broker, "settings", plugin.redirects, endpoint.address};
    links.push_back(std::move(link));
  }
  return links;
}

}  // namespace

std::vector<Link> links_of(const ConfigDraft& scratch, const PluginUses& uses) {
  std::vector<Link> links;
  const auto add = [&](const std::string& name, const Path& settings, const std::string& plugin) {
    if (auto link = link_of(scratch, settings, plugin)) {
      link->name = name;
      link->settings = settings;
      links.push_back(*std::move(link));
    }
  };
  add("storage", {"storage", "settings"}, uses.storage.name);
  for (const auto& [name, plugin] : uses.brokers) {
    if (plugin.endpoints.empty()) {
      add("broker " + name, {"brokers", name, "settings"}, plugin.name);
    } else {
      std::ranges::move(links_to_endpoints(name, plugin), std::back_inserter(links));
    }
  }
  return links;
}

void set_address(ConfigDraft& scratch, const PluginUses& uses, const Link& link,
                 std::uint16_t port) {
  const std::string number = std::to_string(port);
  if (!link.redirect.empty()) {
    scratch.set(link.redirect, "127.0.0.1:" + number);
    return;
  }
  const bool storage = link.name == "storage";
  const AddressRule* rule =
      rule_of(storage ? uses.storage.name : uses.brokers.at(link.settings[1]).name);
  if (rule == nullptr) return;
  const auto below = [&](const char* key) {
    Path path = link.settings;
    path.emplace_back(key);
    return path;
  };
  std::string uri = scratch.text(below("uri")).value_or("");
  switch (rule->form) {
    case AddressForm::libpq:
      if (uri.find("://") == std::string::npos) {
        uri += " hostaddr=127.0.0.1 port=" + number;
      } else {
        uri += (uri.find('?') == std::string::npos ? "?" : "&");
        uri += "hostaddr=127.0.0.1&port=" + number;
      }
      scratch.set(below("uri"), uri);
      break;
    case AddressForm::host_port:
      scratch.set(below("host"), "127.0.0.1");
      scratch.set(below("port"), number);
      break;
    case AddressForm::url:
      if (const auto authority = authority_of(uri)) {
        uri.replace(authority->begin, authority->end - authority->begin, "127.0.0.1:" + number);
        scratch.set(below("uri"), uri);
      }
      break;
    case AddressForm::advertised:
      break;
  }
}

}  // namespace vouch::prove
