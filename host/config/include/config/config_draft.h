// ConfigDraft: a config file as text and lists, to be changed and written as another file. For a
// config that follows from a user's own (vouch prove). What `${…}` stood for is known to the draft
// and never written: the text names environment variables again, which `environment` gives. One
// thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/config_loader.h"

namespace vouch::config {

struct Node;
struct LoadedDraft;

class ConfigDraft {
 public:
  /// Keys from the outside in; in a list, places as numbers: {"outbound", "0", "topic"}.
  using Path = std::vector<std::string>;

  /// Reads the text; `${…}` is replaced as in a config file. No plugin is asked about settings.
  static LoadedDraft from_text(const std::string& text, const std::string& file_name,
                               const std::string& base_directory, const Environment& environment);
  static LoadedDraft from_file(const std::string& path, const Environment& environment);

  ~ConfigDraft();
  ConfigDraft(const ConfigDraft& other);
  ConfigDraft(ConfigDraft&& other) noexcept;
  ConfigDraft& operator=(const ConfigDraft&) = delete;
  ConfigDraft& operator=(ConfigDraft&&) noexcept;

  /// The text at that place, with what `${…}` stands for; nothing if there is no text.
  [[nodiscard]] std::optional<std::string> text(const Path& path) const;

  /// Sets a text, whatever stood there; sections and lists on the way are made. A text that takes
  /// the place of one that came from outside, such as a password, is handled as one.
  void set(const Path& path, const std::string& text);
  /// Sets a list of texts.
  void set_list(const Path& path, const std::vector<std::string>& texts);
  void erase(const Path& path);

  /// The file: YAML in which each text that came from outside is `${VOUCH_DRAFT_1}` and so on.
  [[nodiscard]] std::string yaml() const;
  /// What those variables must hold.
  [[nodiscard]] std::map<std::string, std::string> environment() const;

 private:
  explicit ConfigDraft(Node root);
  Node& make(const Path& path);
  [[nodiscard]] const Node* find(const Path& path) const;

  std::unique_ptr<Node> root_;
};

struct LoadedDraft {
  std::optional<ConfigDraft> draft;     ///< set when there is no problem
  std::vector<ConfigProblem> problems;  ///< by line
};

}  // namespace vouch::config
