// Reads and cross-checks the settings of broker-local.
#include "options.h"

#include <algorithm>

namespace vouch::broker_local {
namespace {

std::vector<std::string> list_or_empty(const Settings& settings, std::string_view key) {
  return settings.has(key) ? settings.list(key) : std::vector<std::string>{};
}

}  // namespace

Options Options::from(const Settings& settings) {
  Options options;
  options.queue_messages = static_cast<std::size_t>(settings.integer("queue_messages"));
  options.max_message_bytes = settings.size("max_message_bytes");
  if (settings.has("tap")) options.tap = settings.text("tap");
  options.tap_topics = list_or_empty(settings, "tap_topics");
  options.drop_percent = static_cast<std::uint32_t>(settings.integer("drop_percent"));
  options.drop_topics = list_or_empty(settings, "drop_topics");
  return options;
}

void validate_options(const Settings& settings, SettingProblems& problems) {
  const Options options = Options::from(settings);
  if (options.tap.empty() && !options.tap_topics.empty()) {
    problems.problem("tap_topics", "has no effect without tap, the file to write to");
  }
  if (options.drop_percent > 0 && options.drop_topics.empty()) {
    problems.problem("drop_percent", "needs drop_topics: say which topics lose messages");
  }
}

bool matches(std::string_view topic, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [topic](const std::string& prefix) { return topic.starts_with(prefix); });
}

}  // namespace vouch::broker_local
