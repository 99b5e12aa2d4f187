#include "config/config_draft.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <utility>

#include "document.h"
#include "files.h"
#include "interpolation.h"
#include "plain_text.h"
#include "problem_list.h"

namespace vouch::config {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kLargestFile = 1U << 20U;
constexpr const char* kVariable = "VOUCH_DRAFT_";

/// A double-quoted scalar (YAML 1.2.2 section 7.3.1) that the config loader reads as `text`.
std::string double_quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += c;
    }
  }
  return out + "\"";
}

/// As the value of a file: dollar signs stand for themselves.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '$' ? std::string("$$") : std::string(1, c);
  return double_quoted(out);
}

/// Writes a tree in flow style: no indentation to get wrong.
class Writer {
 public:
  void write(const Node& node) {
    switch (node.kind) {
      case Node::Kind::text:
        text(node);
        break;
      case Node::Kind::list:
        out_ += '[';
        for (const Node& item : node.items) {
          write(item);
          out_ += ", ";
        }
        out_ += ']';
        break;
      case Node::Kind::map:
        out_ += '{';
        for (const Member& member : node.members) {
          out_ += double_quoted(member.key) + ": ";
          write(member.value);
          out_ += ", ";
        }
        out_ += '}';
        break;
      case Node::Kind::nothing:
      case Node::Kind::broken:
        out_ += '~';
        break;
    }
  }
  /// The outermost map, one section a line.
  void write_file(const Node& root) {
    for (const Member& member : root.members) {
      if (member.value.kind == Node::Kind::nothing) continue;
      out_ += double_quoted(member.key) + ": ";
      write(member.value);
      out_ += '\n';
    }
  }

  std::string out_;
  std::map<std::string, std::string> variables_;

 private:
  void text(const Node& node) {
    if (!node.from_outside) {
      out_ += escaped(node.text);
      return;
    }
    const std::string name = kVariable + std::to_string(variables_.size() + 1);
    variables_[name] = node.text;
    out_ += double_quoted("${" + name + "}");
  }
};

std::optional<std::size_t> place_of(const std::string& key) {
  std::size_t place = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), place);
  if (error != std::errc{} || end != key.data() + key.size()) return std::nullopt;
  return place;
}

}  // namespace

ConfigDraft::ConfigDraft(Node root) : root_(std::make_unique<Node>(std::move(root))) {}
ConfigDraft::~ConfigDraft() = default;
ConfigDraft::ConfigDraft(const ConfigDraft& other) : root_(std::make_unique<Node>(*other.root_)) {}
ConfigDraft::ConfigDraft(ConfigDraft&& other) noexcept = default;
ConfigDraft& ConfigDraft::operator=(ConfigDraft&& other) noexcept = default;

LoadedDraft ConfigDraft::from_text(const std::string& text, const std::string& file_name,
                                   const std::string& base_directory,
                                   const Environment& environment) {
  ProblemList problems(file_name);
  LoadedDraft loaded;
  if (check_plain_text(text, problems)) {
    if (auto root = parse_document(text, problems)) {
      interpolate(*root, environment, base_directory, problems);
      if (problems.error_count() == 0) loaded.draft = ConfigDraft(std::move(*root));
    }
  }
  loaded.problems = problems.take();
  return loaded;
}

LoadedDraft ConfigDraft::from_file(const std::string& path, const Environment& environment) {
  const Result<std::string> text = read_file(path, kLargestFile);
  std::error_code error;
  const fs::path file = fs::absolute(path, error);
  if (!text.ok() || error) {
    const std::string why = text.ok() ? error.message() : text.status().message();
    return {std::nullopt, {{path, {}, "", "can't be read: " + why, false}}};
  }
  return from_text(*text, path, file.parent_path().string(), environment);
}

const Node* ConfigDraft::find(const Path& path) const {
  const Node* node = root_.get();
  for (const std::string& key : path) {
    if (node->kind == Node::Kind::list) {
      const auto place = place_of(key);
      if (!place || *place >= node->items.size()) return nullptr;
      node = &node->items[*place];
    } else {
      node = node->find(key);
      if (node == nullptr) return nullptr;
    }
  }
  return node;
}

std::optional<std::string> ConfigDraft::text(const Path& path) const {
  const Node* node = find(path);
  if (node == nullptr || node->kind != Node::Kind::text) return std::nullopt;
  return node->text;
}

Node& ConfigDraft::make(const Path& path) {
  Node* node = root_.get();
  for (const std::string& key : path) {
    const auto place = place_of(key);
    const bool in_list = place && node->kind != Node::Kind::map;
    if (in_list) {
      node->kind = Node::Kind::list;
      if (node->items.size() <= *place) node->items.resize(*place + 1);
      node = &node->items[*place];
      continue;
    }
    node->kind = Node::Kind::map;
    auto found = std::ranges::find(node->members, key, &Member::key);
    if (found == node->members.end()) {
      node->members.push_back({key, {}, {}});
      found = std::prev(node->members.end());
    }
    node = &found->value;
  }
  return *node;
}

void ConfigDraft::set(const Path& path, const std::string& text) {
  Node& node = make(path);
  Node fresh;
  fresh.kind = Node::Kind::text;
  fresh.text = text;
  fresh.from_outside = node.from_outside;
  node = std::move(fresh);
}

void ConfigDraft::set_list(const Path& path, const std::vector<std::string>& texts) {
  Node list;
  list.kind = Node::Kind::list;
  for (const std::string& text : texts) {
    Node item;
    item.kind = Node::Kind::text;
    item.text = text;
    list.items.push_back(std::move(item));
  }
  make(path) = std::move(list);
}

void ConfigDraft::erase(const Path& path) {
  if (path.empty() || find(path) == nullptr) return;
  Node& above = make({path.begin(), std::prev(path.end())});
  if (above.kind == Node::Kind::map) {
    std::erase_if(above.members, [&](const Member& member) { return member.key == path.back(); });
  } else if (const auto place = place_of(path.back()); place && *place < above.items.size()) {
    above.items.erase(above.items.begin() + static_cast<std::ptrdiff_t>(*place));
  }
}

std::string ConfigDraft::yaml() const {
  Writer writer;
  writer.write_file(*root_);
  return writer.out_;
}

std::map<std::string, std::string> ConfigDraft::environment() const {
  Writer writer;
  writer.write_file(*root_);
  return writer.variables_;
}

}  // namespace vouch::config
