#include "interpolation.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "files.h"
#include "plain_text.h"
#include "vouch/values/setting_values.h"

namespace vouch::config {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kLargestValue = 1U << 20U;

bool is_variable_name(std::string_view name) {
  if (name.empty() || (name.front() >= '0' && name.front() <= '9')) return false;
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (!letter && !(c >= '0' && c <= '9')) return false;
  }
  return true;
}

class Interpolation {
 public:
  Interpolation(const Environment& environment, const std::string& base_directory,
                ProblemList& problems)
      : environment_(environment), base_directory_(base_directory), problems_(problems) {}

  void walk(Node& node, const std::string& path) {
    switch (node.kind) {
      case Node::Kind::text:
        replace(node, path);
        break;
      case Node::Kind::list:
        for (std::size_t i = 0; i < node.items.size(); ++i) {
          walk(node.items[i], path + "[" + std::to_string(i) + "]");
        }
        break;
      case Node::Kind::map:
        for (Member& member : node.members) {
          walk(member.value, path.empty() ? member.key : path + "." + member.key);
        }
        break;
      default:
        break;
    }
  }

 private:
  void replace(Node& node, const std::string& path) {
    std::string out;
    std::string_view rest = node.text;
    while (true) {
      const auto dollar = rest.find('$');
      out += rest.substr(0, dollar);
      if (dollar == std::string_view::npos) break;
      rest.remove_prefix(dollar);
      if (rest.starts_with("$$")) {
        out += '$';
        rest.remove_prefix(2);
      } else if (!rest.starts_with("${")) {
        out += '$';
        rest.remove_prefix(1);
      } else {
        const auto end = rest.find('}');
        if (end == std::string_view::npos) {
          return fail(node, path, "holds ${ without a closing }; write $${ for the characters");
        }
        std::string problem;
        out += expand(rest.substr(2, end - 2), node, problem);
        if (!problem.empty()) return fail(node, path, problem);
        rest.remove_prefix(end + 1);
      }
    }
    node.text = std::move(out);
  }

  void fail(Node& node, const std::string& path, const std::string& message) {
    problems_.error(node.place, path, message);
    node.kind = Node::Kind::broken;
  }

  /// The value of what stands between `${` and `}`.
  std::string expand(std::string_view expression, Node& node, std::string& problem) {
    if (expression.starts_with("file:")) {
      node.from_outside = true;
      node.from_file = true;
      return file_content(std::string(expression.substr(5)), problem);
    }
    const auto separator = expression.find(":-");
    const std::string name(expression.substr(0, separator));
    if (!is_variable_name(name)) {
      problem = "holds ${" + one_line(expression.substr(0, 60)) +
                "}; known are ${NAME}, ${NAME:-default} and ${file:PATH}";
      return {};
    }
    const auto value = environment_.variable(name);
    const bool has_default = separator != std::string_view::npos;
    if (value && !(has_default && value->empty())) {
      node.from_outside = true;
      return *value;
    }
    if (has_default) return std::string(expression.substr(separator + 2));
    problem = "the environment variable " + name + " is not set; set it or write ${" + name +
              ":-default}";
    return {};
  }

  std::string file_content(const std::string& path, std::string& problem) {
    const fs::path file = fs::path(base_directory_) / path;
    Result<std::string> content = read_file(file.string(), kLargestValue);
    if (!content.ok()) {
      problem = "can't read the file " + values::quoted_text(path) +
                " of ${file:…}: " + content.status().message();
      return {};
    }
    std::string text = *std::move(content);
    if (text.ends_with('\n')) text.pop_back();
    if (text.ends_with('\r')) text.pop_back();
    return text;
  }

  const Environment& environment_;
  const std::string& base_directory_;
  ProblemList& problems_;
};

class ProcessEnvironment final : public Environment {
 public:
  [[nodiscard]] std::optional<std::string> variable(const std::string& name) const override {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  }
};

}  // namespace

void interpolate(Node& root, const Environment& environment, const std::string& base_directory,
                 ProblemList& problems) {
  Interpolation(environment, base_directory, problems).walk(root, "");
}

const Environment& process_environment() {
  static const ProcessEnvironment environment;
  return environment;
}

}  // namespace vouch::config
