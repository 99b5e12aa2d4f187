#include "section_reader.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>

namespace vouch::config {
namespace {

using values::TextList;
using values::TextMap;

std::string joined(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : path + "." + std::string(key);
}

bool holds_file(const Node& node) {
  return node.from_file || std::ranges::any_of(node.items, holds_file) ||
         std::ranges::any_of(node.members, holds_file, &Member::value);
}

/// The message without the value, if that must not be shown.
std::string without_value(const Section& section, std::string_view key, std::string message) {
  const auto shown = message.find(", but is ");
  if (shown == std::string::npos || !section.hides(std::string(key))) return message;
  return message.substr(0, shown) + kHiddenValue;
}

/// Takes a plugin's complaints about its settings.
class PluginProblems final : public SettingProblems {
 public:
  PluginProblems(ProblemList& problems, const Section& section)
      : problems_(problems), section_(section) {}

  void problem(std::string_view key, std::string_view message) override {
    const std::string path = key.empty() ? section_.path : joined(section_.path, key);
    problems_.error(section_.value_place(std::string(key)), path,
                    without_value(section_, key, std::string(message)));
  }

 private:
  ProblemList& problems_;
  const Section& section_;
};

}  // namespace

Section Section::below(const std::string& key) const {
  Section part{joined(path, key), place, nullptr};
  const Member* member = node != nullptr ? node->find_member(key) : nullptr;
  if (member != nullptr) {
    part.place = member->place;
    part.node = &member->value;
  }
  return part;
}

Place Section::value_place(const std::string& key) const {
  const Node* value = node != nullptr ? node->find(key) : nullptr;
  return value != nullptr ? value->place : place;
}

bool Section::hides(const std::string& key) const {
  const Node* value = node != nullptr ? node->find(key) : nullptr;
  return value != nullptr && holds_file(*value);
}

bool SectionReader::is_map(const Section& section) {
  if (section.node == nullptr) return true;
  switch (section.node->kind) {
    case Node::Kind::map:
    case Node::Kind::nothing:
      return true;
    case Node::Kind::broken:
      return false;
    default:
      break;
  }
  const char* is = section.node->kind == Node::Kind::list ? "a list" : "one text";
  problems_.error(section.node->place, section.path, std::string("must be a map, not ") + is);
  return false;
}

bool SectionReader::text_of(const Node& node, const std::string& path, std::string& text) {
  if (node.kind == Node::Kind::text) {
    text = node.text;
    return true;
  }
  if (node.kind == Node::Kind::nothing) {
    problems_.error(node.place, path, "has no value");
  } else if (node.kind != Node::Kind::broken) {
    const char* is = node.kind == Node::Kind::list ? "a list" : "a map";
    problems_.error(node.place, path, std::string("must be one text, not ") + is);
  }
  return false;
}

std::optional<values::GivenSetting> SectionReader::given(const Section& section,
                                                         const Member& member) {
  const std::string path = joined(section.path, member.key);
  const Node& node = member.value;
  bool good = true;
  if (node.kind == Node::Kind::list) {
    TextList list;
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      std::string& text = list.emplace_back();
      good = text_of(node.items[i], path + "[" + std::to_string(i) + "]", text) && good;
    }
    if (good) return values::GivenSetting{member.key, std::move(list)};
    return std::nullopt;
  }
  if (node.kind == Node::Kind::map) {
    TextMap map;
    for (const Member& inner : node.members) {
      auto& [key, text] = map.emplace_back(inner.key, "");
      good = text_of(inner.value, joined(path, key), text) && good;
    }
    if (good) return values::GivenSetting{member.key, std::move(map)};
    return std::nullopt;
  }
  std::string text;
  if (text_of(node, path, text)) return values::GivenSetting{member.key, std::move(text)};
  return std::nullopt;
}

void SectionReader::report(const Section& section, std::span<const SettingSpec> table,
                           const values::SettingProblem& problem) {
  const std::string path = joined(section.path, problem.key);
  const Member* member = section.node != nullptr ? section.node->find_member(problem.key) : nullptr;
  if (member == nullptr) {
    problems_.error(section.place, path, problem.message);
    return;
  }
  // A value that could not be read was complained about; that it is missing is no news.
  if (!problem.given) return;
  const bool known =
      std::ranges::any_of(table, [&](const SettingSpec& spec) { return problem.key == spec.key; });
  problems_.error(known ? member->value.place : member->place, path,
                  without_value(section, problem.key, problem.message));
}

void SectionReader::warn_of_open_secrets(const Section& section,
                                         std::span<const SettingSpec> table) {
  if (exposed_mode_ == 0 || section.node == nullptr) return;
  for (const SettingSpec& spec : table) {
    const Node* node = section.node->find(spec.key);
    if ((spec.flags & kSettingSecret) == 0 || node == nullptr) continue;
    const auto open = [](const Node& part) {
      return part.kind == Node::Kind::text && !part.from_outside && !part.text.empty();
    };
    const bool any = open(*node) || std::ranges::any_of(node->items, open) ||
                     std::ranges::any_of(node->members, open, &Member::value);
    if (!any) continue;
    std::array<char, 8> mode{};
    std::snprintf(mode.data(), mode.size(), "%04o", exposed_mode_ & 07777U);
    problems_.warning(node->place, joined(section.path, spec.key),
                      "is a secret, but others can read this file (mode " +
                          std::string(mode.data()) +
                          "); make the mode 0600, or write ${NAME} or ${file:PATH}");
  }
}

values::SettingValues SectionReader::read(const Section& section,
                                          std::span<const SettingSpec> table,
                                          std::string_view apart) {
  std::vector<values::GivenSetting> all;
  if (section.node != nullptr && section.node->kind == Node::Kind::map) {
    for (const Member& member : section.node->members) {
      if (!apart.empty() && member.key == apart) continue;
      const bool known = std::ranges::any_of(
          table, [&](const SettingSpec& spec) { return member.key == spec.key; });
      // What an unknown key holds doesn't matter.
      auto setting = known ? given(section, member) : values::GivenSetting{member.key, ""};
      if (setting) all.push_back(*std::move(setting));
    }
  }
  std::vector<values::SettingProblem> found;
  auto values = values::SettingValues::make(table, std::move(all), found, base_directory_);
  for (const values::SettingProblem& problem : found) report(section, table, problem);
  warn_of_open_secrets(section, table);
  return values;
}

namespace {

/// Whether a value in it could not be made, which was told when it was tried.
bool is_broken(const Node& node) {
  return node.kind == Node::Kind::broken || std::ranges::any_of(node.items, is_broken) ||
         std::ranges::any_of(node.members,
                             [](const Member& member) { return is_broken(member.value); });
}

}  // namespace

values::SettingValues SectionReader::read_plugin(const Section& section,
                                                 std::span<const SettingSpec> table,
                                                 void (*validate)(const Settings&,
                                                                  SettingProblems&)) {
  const std::size_t before = problems_.error_count();
  auto values = read(section, table);
  if (validate == nullptr || problems_.error_count() != before) return values;
  if (section.node != nullptr && is_broken(*section.node)) return values;
  PluginProblems found(problems_, section);
  try {
    validate(values, found);
  } catch (const std::exception& error) {
    problems_.error(section.place, section.path,
                    std::string("the plugin's own check failed: ") + error.what());
  } catch (...) {
    problems_.error(section.place, section.path, "the plugin's own check failed");
  }
  return values;
}

}  // namespace vouch::config
