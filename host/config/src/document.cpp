#include "document.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <sstream>
#include <utility>

#include "plain_text.h"

namespace vouch::config {
namespace {

constexpr std::size_t kDeepest = 32;

Place place_of(const YAML::Mark& mark) {
  if (mark.line < 0) return {};
  return {mark.line + 1, mark.column + 1};
}

/// Builds the tree from the parser's events.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(ProblemList& problems) : problems_(problems) {}

  [[nodiscard]] bool done() const { return done_; }
  Node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (done_) throw YAML::ParserException(mark, "the file holds more than one document");
  }
  void OnDocumentEnd() override { done_ = true; }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    add(leaf(Node::Kind::nothing, mark));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    problems_.error(place_of(mark), path(), "aliases (*name) can't be used; write the value out");
    add(leaf(Node::Kind::broken, mark));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t /*anchor*/,
                const std::string& value) override {
    Node node = leaf(Node::Kind::text, mark);
    node.text = value;
    check_tag(mark, tag);
    add(std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t /*anchor*/,
                       YAML::EmitterStyle::value /*style*/) override {
    open(Node::Kind::list, mark, tag);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t /*anchor*/,
                  YAML::EmitterStyle::value /*style*/) override {
    open(Node::Kind::map, mark, tag);
  }
  void OnMapEnd() override { close(); }

 private:
  /// A list or map whose end has not come yet.
  struct Open {
    Node node;
    std::optional<Member> key;        ///< of a map: waits for its value
    bool key_counts = true;           ///< false: its value is dropped, the problem is reported
    std::map<std::string, int> seen;  ///< of a map: the line of each key
  };

  static Node leaf(Node::Kind kind, const YAML::Mark& mark) {
    Node node;
    node.kind = kind;
    node.place = place_of(mark);
    return node;
  }

  void check_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    problems_.error(place_of(mark), path(), "tags (!name) can't be used");
  }

  void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag) {
    if (open_.size() >= kDeepest) throw YAML::ParserException(mark, "nested too deeply");
    check_tag(mark, tag);
    open_.emplace_back().node = leaf(kind, mark);
  }

  void close() {
    Node node = std::move(open_.back().node);
    open_.pop_back();
    add(std::move(node));
  }

  void add(Node node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == Node::Kind::list) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.key) {
      take_key(parent, std::move(node));
    } else {
      Member member = std::move(*parent.key);
      parent.key.reset();
      // An absent value is marked where the next thing begins, which helps nobody.
      if (node.kind == Node::Kind::nothing) node.place = member.place;
      member.value = std::move(node);
      if (parent.key_counts) parent.node.members.push_back(std::move(member));
    }
  }

  void take_key(Open& parent, Node node) {
    const Place place = node.place;
    parent.key_counts = node.kind == Node::Kind::text;
    if (!parent.key_counts) {
      if (node.kind != Node::Kind::broken) {
        problems_.error(place, path(), "a key must be one plain text");
      }
      parent.key = Member{"", place, {}};
      return;
    }
    const auto [first, is_new] = parent.seen.emplace(node.text, place.line);
    parent.key_counts = is_new;
    parent.key = Member{std::move(node.text), place, {}};
    if (is_new) return;
    problems_.error(place, path(),
                    "is given twice, first in line " + std::to_string(first->second));
  }

  /// "brokers.main.settings": where the parser is now.
  [[nodiscard]] std::string path() const {
    std::string out;
    for (const Open& level : open_) {
      if (level.node.kind == Node::Kind::list) {
        out += "[" + std::to_string(level.node.items.size()) + "]";
      } else if (level.key && !level.key->key.empty()) {
        out += (out.empty() ? "" : ".") + level.key->key;
      }
    }
    return out;
  }

  ProblemList& problems_;
  std::vector<Open> open_;
  Node root_;
  bool done_ = false;
};

/// A tab among the spaces that indent one of the lines up to `last_line`, nearest to it.
std::optional<Place> indenting_tab(const std::string& text, int last_line) {
  std::optional<Place> found;
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; number <= last_line && std::getline(lines, line); ++number) {
    const auto tab = line.find_first_not_of(' ');
    if (tab == std::string::npos || line[tab] != '\t') continue;
    const auto content = line.find_first_not_of(" \t\r", tab);
    if (content == std::string::npos || line[content] == '#') continue;
    found = Place{number, static_cast<int>(tab) + 1};
  }
  return found;
}

void report_syntax(const YAML::Exception& error, const std::string& text, ProblemList& problems) {
  const Place place = place_of(error.mark);
  if (const auto tab = indenting_tab(text, place.line)) {
    problems.error(*tab, "", "is indented by a tab; YAML allows only spaces there");
    return;
  }
  problems.error(place, "", "is not valid YAML: " + one_line(error.msg));
}

}  // namespace

const Member* Node::find_member(const std::string& key) const {
  for (const Member& member : members) {
    if (member.key == key) return &member;
  }
  return nullptr;
}

const Node* Node::find(const std::string& key) const {
  const Member* member = find_member(key);
  return member != nullptr ? &member->value : nullptr;
}

std::optional<Node> parse_document(const std::string& text, ProblemList& problems) {
  TreeBuilder builder(problems);
  try {
    // yaml-cpp takes a quote that is still open at a final newline for closed; it notices when the
    // text ends in the middle of a line, which may as well be a comment.
    std::istringstream stream(text + (text.ends_with('\n') ? "#" : "\n#"));
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    report_syntax(error, text, problems);
    return std::nullopt;
  }
  return builder.done() ? builder.take() : Node{};
}

}  // namespace vouch::config
