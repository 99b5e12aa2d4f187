#include "checks.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "format/topic_template.h"
#include "plain_text.h"
#include "vouch/types.h"

namespace vouch::config {
namespace {

constexpr std::size_t kLongestName = 64;
constexpr const char* kNameRule = "must be 1 to 64 letters, digits and - _ . only";

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_name(std::string_view text) {
  const auto legal = [](char c) {
    return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.';
  };
  return !text.empty() && text.size() <= kLongestName && std::ranges::all_of(text, legal);
}

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, port);
  return error == std::errc{} && rest == end;
}

bool is_host(std::string_view text) {
  if (text.starts_with('[')) {
    if (!text.ends_with(']')) return false;
    in6_addr address{};
    const std::string inner(text.substr(1, text.size() - 2));
    return inet_pton(AF_INET6, inner.c_str(), &address) == 1;
  }
  const auto legal = [](char c) { return is_letter_or_digit(c) || c == '-' || c == '.'; };
  return std::ranges::all_of(text, legal);
}

bool is_listen_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  return is_host(text.substr(0, colon)) && is_port(text.substr(colon + 1));
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + one_line(name);
  return out;
}

/// ", but is "…"", or why that is not said.
std::string but_is(const Section& section, const std::string& key, std::string_view text) {
  return section.hides(key) ? kHiddenValue : ", but is " + values::quoted_text(text);
}

}  // namespace

void check_store(const Section& section, const Settings& values, ProblemList& problems) {
  if (!values.has("name") || is_name(values.text("name"))) return;
  problems.error(section.value_place("name"), section.path + ".name",
                 kNameRule + but_is(section, "name", values.text("name")));
}

void check_append(const Section& section, const AppendConfig& append, std::uint32_t partitions,
                  ProblemList& problems) {
  if (partitions == 0 || append.lanes <= partitions) return;
  problems.warning(section.value_place("lanes"), section.path + ".lanes",
                   "only " + std::to_string(partitions) + " of " + std::to_string(append.lanes) +
                       " lanes will work, since there are " + std::to_string(partitions) +
                       " partitions (store.partitions)");
}

void check_delivery(const Section& section, const Settings& values, ProblemList& problems) {
  if (!values.has("first_retry") || !values.has("max_retry")) return;
  const auto first = values.duration("first_retry");
  const auto longest = values.duration("max_retry");
  if (first <= longest) return;
  problems.error(section.value_place("first_retry"), section.path + ".first_retry",
                 "must not be longer than max_retry (" + values::duration_text(longest) +
                     "), but is " + values::duration_text(first));
}

void check_http(const Section& section, const Settings& values, ProblemList& problems) {
  if (!values.has("listen") || is_listen_address(values.text("listen"))) return;
  problems.error(section.value_place("listen"), section.path + ".listen",
                 "must be ADDRESS:PORT such as 127.0.0.1:7070, [::1]:7070 or :7070" +
                     but_is(section, "listen", values.text("listen")));
}

void check_limits(const Section& section, const Settings& values, ProblemList& problems) {
  if (!values.has("event_bytes") || !values.has("body_bytes")) return;
  if (values.size("event_bytes") <= values.size("body_bytes")) return;
  problems.error(section.value_place("event_bytes"), section.path + ".event_bytes",
                 "must not be larger than body_bytes (" +
                     values::size_text(values.size("body_bytes")) + "), but is " +
                     values::size_text(values.size("event_bytes")));
}

void check_broker_name(const Section& section, const std::string& name, ProblemList& problems) {
  if (is_name(name)) return;
  problems.error(
      section.place, "brokers",
      "a broker's name " + std::string(kNameRule) + ", but is " + values::quoted_text(name));
}

void settle_broker(const Section& section, const Settings& values,
                   const std::vector<std::string>& brokers, std::string& broker,
                   ProblemList& problems) {
  if (brokers.empty()) return;
  const std::string path = section.path + ".broker";
  if (!values.has("broker")) {
    const bool is_given = section.node != nullptr && section.node->find("broker") != nullptr;
    if (is_given) return;  // and was complained about
    if (brokers.size() == 1) {
      broker = brokers.front();
    } else {
      problems.error(section.place, path,
                     "is required, since there are several brokers: " + joined(brokers));
    }
    return;
  }
  const std::string wanted = values.text("broker");
  if (std::ranges::find(brokers, wanted) != brokers.end()) return;
  if (section.hides("broker")) {
    problems.error(section.value_place("broker"), path,
                   "there is no such broker; there are: " + joined(brokers) + kHiddenValue);
    return;
  }
  const std::vector<std::string_view> known(brokers.begin(), brokers.end());
  const auto near = values::nearest(wanted, known);
  problems.error(
      section.value_place("broker"), path,
      "there is no broker " + values::quoted_text(wanted) +
          (near ? "; did you mean " + one_line(*near) + "?" : "; there are: " + joined(brokers)));
}

void check_validation_topic(const Section& section, const Settings& values, ProblemList& problems) {
  if (!values.has("topic")) return;
  const std::string topic = values.text("topic");
  if (topic.empty()) {
    problems.error(section.value_place("topic"), section.path + ".topic", "must not be empty");
  } else if (topic.find_first_of("{}") != std::string::npos) {
    problems.error(section.value_place("topic"), section.path + ".topic",
                   "must be one topic, without placeholders" + but_is(section, "topic", topic));
  }
}

void check_route_name(const Section& section, const RouteConfig& route,
                      const std::vector<RouteConfig>& before, ProblemList& problems) {
  constexpr std::size_t kLongest = 200;
  const bool given = section.node != nullptr && section.node->find("name") != nullptr;
  const Place place = given ? section.value_place("name") : section.place;
  const std::string path = section.path + ".name";
  const auto legal = [](char c) { return c >= ' ' && c <= '~'; };
  if (given && (route.name.empty() || route.name.size() > kLongest ||
                !std::ranges::all_of(route.name, legal))) {
    problems.error(
        place, path,
        "must be 1 to 200 printable ASCII characters" + but_is(section, "name", route.name));
    return;
  }
  const bool taken = std::ranges::any_of(
      before, [&](const RouteConfig& other) { return other.name == route.name; });
  if (!taken) return;
  problems.error(place, path,
                 section.hides(given ? "name" : "topic")
                     ? std::string("another route has the same name") + kHiddenValue
                     : "another route is called " + values::quoted_text(route.name) +
                           " too; give this one a name of its own");
}

void check_route(const Section& section, const Settings& values, const RouteConfig& route,
                 const ValidationConfig& validation, ProblemList& problems) {
  if (values.has("topic")) {
    const auto parsed = format::TopicTemplate::parse(route.topic);
    const Place place = section.value_place("topic");
    if (!parsed.ok()) {
      problems.error(place, section.path + ".topic",
                     section.hides("topic") ? std::string("is not a topic") + kHiddenValue
                                            : parsed.status().message());
    } else if (!route.broker.empty() && route.broker == validation.broker &&
               route.topic == validation.topic) {
      problems.error(
          place, section.path + ".topic",
          "is the validation topic of the same broker; events need a topic of their own");
    }
  }
  const bool hidden = section.hides("categories");
  for (const std::string& category : route.categories) {
    if (StreamName::valid(category) && category.find('-') == std::string::npos) continue;
    problems.error(
        section.value_place("categories"), section.path + ".categories",
        (hidden ? "holds what is no category" : values::quoted_text(category) + " is no category") +
            std::string(": a stream's category is the part of its name before the "
                        "first \"-\"") +
            (hidden ? kHiddenValue : ""));
  }
  for (const std::string& type : route.types) {
    if (!type.empty()) continue;
    problems.error(section.value_place("types"), section.path + ".types",
                   "must not hold an empty type");
  }
}

}  // namespace vouch::config
