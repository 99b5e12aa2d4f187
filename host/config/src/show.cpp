// What a loaded config says, and what settings tables say, as text for people.
#include <algorithm>
#include <map>
#include <utility>

#include "config/config_loader.h"
#include "sections.h"
#include "vouch/values/setting_values.h"

namespace vouch::config {
namespace {

using Lines = std::vector<std::pair<std::string, std::string>>;

/// Writes the fields of a section as texts, as the file could say them.
class FieldLines {
 public:
  explicit FieldLines(Lines& lines) : lines_(lines) {}

  void operator()(const char* key, const std::string& field) const {
    const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
    const bool plain = !field.empty() && std::ranges::none_of(field, control);
    lines_.emplace_back(key, plain ? field : values::quoted_text(field, field.size()));
  }
  void operator()(const char* key, std::uint32_t field) const {
    lines_.emplace_back(key, std::to_string(field));
  }
  void operator()(const char* key, std::uint64_t field) const {
    lines_.emplace_back(key, values::size_text(field));
  }
  void operator()(const char* key, const std::vector<std::string>& field) const {
    std::string list;
    for (const std::string& part : field) list += (list.empty() ? "" : ", ") + part;
    lines_.emplace_back(key, "[" + list + "]");
  }
  template <typename Period>
  void operator()(const char* key, std::chrono::duration<std::int64_t, Period> field) const {
    lines_.emplace_back(key, values::duration_text(field));
  }

 private:
  Lines& lines_;
};

template <typename Part>
Lines lines_of(Part part) {
  Lines lines;
  visit_fields(FieldLines(lines), part);
  return lines;
}

void append_line(std::string& out, const std::string& path, const std::string& value,
                 bool is_default) {
  out += path + ": " + value + (is_default ? "  # default\n" : "\n");
}

template <typename Part>
void append_section(std::string& out, std::string_view table, const std::string& path,
                    const Part& part) {
  std::vector<values::SettingProblem> problems;
  const auto values = values::SettingValues::make(section_table(table).settings, {}, problems);
  Part defaults;
  visit_fields(FieldFiller(values), defaults);
  const Lines shown = lines_of(part);
  const Lines by_default = lines_of(defaults);
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const bool has_default = values.has(shown[i].first);
    append_line(out, path + "." + shown[i].first, shown[i].second,
                has_default && shown[i].second == by_default[i].second);
  }
}

void append_plugin(std::string& out, const std::string& path, const PluginUse& use) {
  append_line(out, path + ".plugin", use.plugin, false);
  if (use.settings == nullptr) return;
  for (const auto& setting : use.settings->shown()) {
    append_line(out, path + ".settings." + setting.key, setting.value, setting.is_default);
  }
}

const char* type_name(SettingType type) {
  switch (type) {
    case SettingType::boolean:
      return "true or false";
    case SettingType::integer:
      return "whole number";
    case SettingType::number:
      return "number";
    case SettingType::text:
      return "text";
    case SettingType::duration:
      return "duration";
    case SettingType::size:
      return "size";
    case SettingType::choice:
      return "choice";
    case SettingType::list:
      return "list of texts";
    case SettingType::map:
      return "map of texts";
    case SettingType::path:
      return "path";
  }
  return "text";
}

/// A table's cell ends at a bar, and a new line would end its row.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string code(std::string_view text) {
  return "`" + cell(text) + "`";
}

std::string value_cell(const SettingSpec& spec) {
  if (spec.type == SettingType::choice && spec.choices != nullptr) {
    std::string out;
    std::string_view rest = spec.choices;
    while (!rest.empty()) {
      const auto bar = rest.find('|');
      out += (out.empty() ? "" : ", ") + code(rest.substr(0, bar));
      rest.remove_prefix(bar == std::string_view::npos ? rest.size() : bar + 1);
    }
    return out;
  }
  const std::string range = values::range_text(spec);
  return std::string(type_name(spec.type)) + (range.empty() ? "" : ", " + range);
}

std::string default_cell(const SettingSpec& spec) {
  if ((spec.flags & kSettingRequired) != 0) return "**required**";
  if (spec.default_text == nullptr) return "";
  const std::string text = spec.default_text;
  if (spec.type == SettingType::list) return code("[" + text + "]");
  if (spec.type == SettingType::map) return code("{" + text + "}");
  return text.empty() ? "empty" : code(text);
}

std::string doc_cell(const SettingSpec& spec) {
  std::string out = cell(spec.doc != nullptr ? spec.doc : "");
  if (spec.example != nullptr) out += " Example: " + code(spec.example) + ".";
  if ((spec.flags & kSettingSecret) != 0) out += " Secret.";
  if ((spec.flags & kSettingReloadable) != 0) out += " May change while the host runs.";
  if ((spec.flags & kSettingAdvanced) != 0) out += " Advanced.";
  return out;
}

}  // namespace

std::string show_config(const Config& config) {
  std::string out;
  append_section(out, "store", "store", config.store);
  append_plugin(out, "storage", config.storage);
  for (const auto& [name, use] : config.brokers) append_plugin(out, "brokers." + name, use);
  append_section(out, "validation", "validation", config.validation);
  if (config.outbound.empty()) out += "outbound: []\n";
  for (std::size_t i = 0; i < config.outbound.size(); ++i) {
    append_section(out, "outbound", "outbound[" + std::to_string(i) + "]", config.outbound[i]);
  }
  append_section(out, "append", "append", config.append);
  append_section(out, "delivery", "delivery", config.delivery);
  append_section(out, "http", "http", config.http);
  append_section(out, "limits", "limits", config.limits);
  append_section(out, "snapshots", "snapshots", config.snapshots);
  append_section(out, "log", "log", config.log);
  append_section(out, "plugins", "plugins", config.plugins);
  append_section(out, "shutdown", "shutdown", config.shutdown);
  return out;
}

std::string settings_markdown(std::span<const SettingSpec> settings) {
  if (settings.empty()) return "There are no settings.\n";
  std::vector<SettingSpec> rows(settings.begin(), settings.end());
  std::stable_partition(rows.begin(), rows.end(), [](const SettingSpec& spec) {
    return (spec.flags & kSettingAdvanced) == 0;
  });
  std::string out = "| Setting | Value | Default | Meaning |\n|---|---|---|---|\n";
  for (const SettingSpec& spec : rows) {
    out += "| " + code(spec.key) + " | " + value_cell(spec) + " | " + default_cell(spec) + " | " +
           doc_cell(spec) + " |\n";
  }
  return out;
}

}  // namespace vouch::config
