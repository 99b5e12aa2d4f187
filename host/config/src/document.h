// A YAML document as a plain tree with places: what the loader works on, free of yaml-cpp's nodes
// and exceptions. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "problem_list.h"

namespace vouch::config {

struct Member;

struct Node {
  enum class Kind : std::uint8_t {
    nothing,  ///< `key:` without a value
    text,     ///< any scalar; YAML's guesses about types are not made
    list,
    map,
    broken,  ///< a problem was reported; nothing more is to be said about it
  };
  Kind kind = Kind::nothing;
  Place place;
  std::string text;
  std::vector<Node> items;
  std::vector<Member> members;

  bool from_outside = false;  ///< holds the value of a variable or the content of a file
  bool from_file = false;     ///< holds the content of a file, which no message may show

  /// The member with that key, or null.
  [[nodiscard]] const Node* find(const std::string& key) const;
  [[nodiscard]] const Member* find_member(const std::string& key) const;
};

struct Member {
  std::string key;
  Place place;
  Node value;
};

/// Reads one document; nothing when it can't be made sense of. Reports syntax errors, keys given
/// twice, keys that are not plain texts, aliases, tags, further documents.
std::optional<Node> parse_document(const std::string& text, ProblemList& problems);

}  // namespace vouch::config
