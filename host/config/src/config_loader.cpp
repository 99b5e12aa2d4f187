// The way of a config file: text, document, interpolation, sections, Config.
#include "config/config_loader.h"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <system_error>
#include <utility>

#include "checks.h"
#include "document.h"
#include "files.h"
#include "interpolation.h"
#include "plain_text.h"
#include "section_reader.h"
#include "sections.h"

namespace vouch::config {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kLargestFile = 1U << 20U;

std::string absolute(const std::string& path, const std::string& base_directory) {
  const fs::path given(path);
  if (given.empty() || given.is_absolute() || base_directory.empty()) return path;
  return (fs::path(base_directory) / given).lexically_normal().string();
}

class Loader {
 public:
  Loader(ProblemList& problems, PluginTables& plugins, const std::string& base_directory,
         unsigned exposed_mode)
      : problems_(problems),
        plugins_(plugins),
        base_directory_(base_directory),
        reader_(problems, base_directory, exposed_mode) {}

  Config load(const Node& root) {
    const Section file{"", {}, &root};
    Config config;
    if (!reader_.is_map(file)) return config;
    check_section_names(root);
    load_plain_sections(file, config);
    load_plugin_use(PluginKind::storage, file.below("storage"), config.plugins, config.storage);
    load_brokers(file.below("brokers"), config);
    load_validation(file.below("validation"), config);
    load_outbound(file.below("outbound"), config);
    return config;
  }

 private:
  void check_section_names(const Node& root) {
    std::vector<std::string_view> known;
    for (const SectionTable& section : host_sections()) {
      const std::string_view path = section.path;
      known.push_back(path.substr(0, path.find('.')));
    }
    for (const Member& member : root.members) {
      if (std::ranges::find(known, member.key) != known.end()) continue;
      const auto near = values::nearest(member.key, known);
      std::string message = "there is no such section";
      if (near) {
        message += "; did you mean " + *near + "?";
      } else {
        for (const std::string_view name : known) {
          message += (name == known.front() ? "; there are " : ", ") + std::string(name);
        }
      }
      problems_.error(member.place, member.key, message);
    }
  }

  /// Fills a section and applies its check, unless the section can't be read at all.
  template <typename Part>
  void load_section(const Section& section, Part& part,
                    void (*check)(const Section&, const Settings&, ProblemList&) = nullptr) {
    if (!reader_.is_map(section)) return;
    const auto values = reader_.read(section, section_table(section.path).settings);
    visit_fields(FieldFiller(values), part);
    if (check != nullptr) check(section, values, problems_);
  }

  void load_plain_sections(const Section& file, Config& config) {
    config.store.partitions = 0;  // unknown, if it can't be read
    load_section(file.below("store"), config.store, check_store);
    load_section(file.below("append"), config.append);
    check_append(file.below("append"), config.append, config.store.partitions, problems_);
    load_section(file.below("delivery"), config.delivery, check_delivery);
    load_section(file.below("http"), config.http, check_http);
    load_section(file.below("limits"), config.limits, check_limits);
    load_section(file.below("snapshots"), config.snapshots);
    load_section(file.below("log"), config.log);
    load_section(file.below("plugins"), config.plugins);
    for (std::string& directory : config.plugins.search_path) {
      directory = absolute(directory, base_directory_);
    }
    load_section(file.below("shutdown"), config.shutdown);
  }

  void load_plugin_use(PluginKind kind, const Section& section, const PluginsConfig& plugins,
                       PluginUse& use) {
    use.place = section.place;
    if (!reader_.is_map(section)) return;
    const auto table =
        section_table(kind == PluginKind::storage ? "storage" : "brokers.NAME").settings;
    const auto values = reader_.read(section, table, "settings");
    if (!values.has("plugin")) return;
    use.plugin = values.text("plugin");
    if (use.plugin.find('/') != std::string::npos) {
      use.plugin = absolute(use.plugin, base_directory_);
    }
    const auto found = plugins_.table(kind, use.plugin, plugins.search_path);
    if (!found.ok()) {
      problems_.error(section.value_place("plugin"), section.path + ".plugin",
                      section.hides("plugin")
                          ? std::string("names no plugin that can be used") + kHiddenValue
                          : found.status().message());
      return;
    }
    const Section settings = section.below("settings");
    if (!reader_.is_map(settings)) return;
    use.settings = std::make_shared<const values::SettingValues>(
        reader_.read_plugin(settings, found->settings, found->validate));
  }

  void load_brokers(const Section& section, Config& config) {
    if (!reader_.is_map(section)) return;
    if (section.node == nullptr || section.node->members.empty()) {
      problems_.error(section.place, section.path, "is required: at least one broker, by name");
      return;
    }
    for (const Member& member : section.node->members) {
      const Section broker = section.below(member.key);
      check_broker_name(broker, member.key, problems_);
      load_plugin_use(PluginKind::broker, broker, config.plugins, config.brokers[member.key]);
      brokers_.push_back(member.key);
    }
  }

  void load_validation(const Section& section, Config& config) {
    if (!reader_.is_map(section)) return;
    const auto values = reader_.read(section, section_table("validation").settings);
    visit_fields(FieldFiller(values), config.validation);
    settle_broker(section, values, brokers_, config.validation.broker, problems_);
    check_validation_topic(section, values, problems_);
  }

  void load_outbound(const Section& section, Config& config) {
    if (section.node == nullptr) {
      load_route({section.path + "[0]", {}, nullptr}, config);
      return;
    }
    if (section.node->kind == Node::Kind::broken) return;
    if (section.node->kind != Node::Kind::list) {
      problems_.error(section.node->place, section.path,
                      "must be a list of routes, such as - { topic: \"events.{category}\" }; [] "
                      "publishes nothing");
      return;
    }
    if (section.node->items.empty()) {
      problems_.warning(section.node->place, section.path,
                        "is empty: events are stored, but never published");
    }
    for (std::size_t i = 0; i < section.node->items.size(); ++i) {
      const Node& item = section.node->items[i];
      load_route({section.path + "[" + std::to_string(i) + "]", item.place, &item}, config);
    }
  }

  void load_route(const Section& section, Config& config) {
    if (!reader_.is_map(section)) return;
    const auto values = reader_.read(section, section_table("outbound").settings);
    RouteConfig route;
    route.place = section.place;
    visit_fields(FieldFiller(values), route);
    settle_broker(section, values, brokers_, route.broker, problems_);
    if (!values.has("name")) route.name = route.broker + '/' + route.topic;
    check_route(section, values, route, config.validation, problems_);
    check_route_name(section, route, config.outbound, problems_);
    config.outbound.push_back(std::move(route));
  }

  ProblemList& problems_;
  PluginTables& plugins_;
  const std::string& base_directory_;
  SectionReader reader_;
  std::vector<std::string> brokers_;
};

/// Reads a document and gives its root to `use`, unless that can't be made sense of. Every problem
/// is in `problems` afterwards.
template <typename Use>
void read_document(const std::string& text, const std::string& base_directory,
                   const Environment& environment, ProblemList& problems, const Use& use) {
  try {
    if (text.size() > kLargestFile) {
      problems.error({}, "", "is larger than " + values::size_text(kLargestFile));
    } else if (check_plain_text(text, problems)) {
      if (auto root = parse_document(text, problems)) {
        interpolate(*root, environment, base_directory, problems);
        use(*root);
      }
    }
  } catch (const std::exception& error) {
    problems.error({}, "", std::string("can't be read: ") + error.what());
  }
}

LoadedConfig load(const std::string& text, const std::string& file_name,
                  const std::string& base_directory, unsigned exposed_mode, PluginTables& plugins,
                  const Environment& environment) {
  ProblemList problems(file_name);
  LoadedConfig loaded;
  read_document(text, base_directory, environment, problems, [&](const Node& root) {
    Config config = Loader(problems, plugins, base_directory, exposed_mode).load(root);
    if (problems.error_count() == 0) loaded.config = std::move(config);
  });
  loaded.problems = problems.take();
  return loaded;
}

/// A config file's text, and where paths in it count from.
struct FileText {
  std::string text;
  std::string directory;
};

/// The file, or in words why it can't be read.
Result<FileText> read_text(const std::string& path) {
  Result<std::string> text = read_file(path, kLargestFile);
  if (!text.ok()) return text.status();
  std::error_code error;
  const fs::path file = fs::absolute(path, error);
  if (error) return Status(StatusCode::unavailable, error.message());
  return FileText{*std::move(text), file.parent_path().string()};
}

ConfigProblem unreadable(const std::string& path, const Status& why) {
  return {path, {}, "", "can't be read: " + why.message(), false};
}

}  // namespace

LoadedConfig load_config_text(const std::string& text, const std::string& file_name,
                              const std::string& base_directory, PluginTables& plugins,
                              const Environment& environment) {
  return load(text, file_name, base_directory, 0, plugins, environment);
}

LoadedConfig load_config_file(const std::string& path, PluginTables& plugins,
                              const Environment& environment) {
  const Result<FileText> file = read_text(path);
  if (!file.ok()) return {std::nullopt, {unreadable(path, file.status())}};
  return load(file->text, path, file->directory, readable_by_others(path), plugins, environment);
}

LoadedSettings load_settings_file(const std::string& path, const PluginTable& table,
                                  const Environment& environment) {
  const Result<FileText> file = read_text(path);
  if (!file.ok()) return {std::nullopt, {unreadable(path, file.status())}};
  ProblemList problems(path);
  LoadedSettings loaded;
  read_document(file->text, file->directory, environment, problems, [&](const Node& root) {
    SectionReader reader(problems, file->directory, readable_by_others(path));
    const Section section{"", {}, &root};
    if (!reader.is_map(section)) return;
    values::SettingValues values = reader.read_plugin(section, table.settings, table.validate);
    if (problems.error_count() == 0) loaded.values = std::move(values);
  });
  loaded.problems = problems.take();
  return loaded;
}

}  // namespace vouch::config
