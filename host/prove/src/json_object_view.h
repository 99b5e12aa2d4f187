// JsonObjectView: the members of a JSON object by name. Whatever is not there, or of another kind,
// is empty. Views point into the text, which must outlive it. One thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "format/json_text.h"

namespace vouch::prove {

class JsonObjectView {
 public:
  explicit JsonObjectView(std::string_view text) {
    if (const auto value = format::parse_json(text); value.ok()) take(*value);
  }
  explicit JsonObjectView(const format::JsonSlice& slice) { take(slice); }

  [[nodiscard]] bool valid() const { return valid_; }
  [[nodiscard]] std::string text(std::string_view key) const {
    const format::JsonSlice* value = find(key);
    return value != nullptr && value->kind == format::JsonKind::string ? format::json_string(*value)
                                                                       : std::string();
  }
  [[nodiscard]] std::optional<std::uint64_t> number(std::string_view key) const {
    const format::JsonSlice* value = find(key);
    if (value == nullptr || value->kind != format::JsonKind::number) return std::nullopt;
    return format::json_unsigned(*value);
  }
  [[nodiscard]] std::vector<format::JsonSlice> list(std::string_view key) const {
    const format::JsonSlice* value = find(key);
    if (value == nullptr || value->kind != format::JsonKind::array) return {};
    return format::json_elements(*value);
  }
  [[nodiscard]] JsonObjectView object(std::string_view key) const {
    const format::JsonSlice* value = find(key);
    return JsonObjectView(value == nullptr ? format::JsonSlice{} : *value);
  }
  /// All members that are objects, by name.
  [[nodiscard]] std::vector<std::pair<std::string, JsonObjectView>> objects() const {
    std::vector<std::pair<std::string, JsonObjectView>> found;
    for (const format::JsonMember& member : members_) {
      if (member.value.kind == format::JsonKind::object) {
        found.emplace_back(member.key, JsonObjectView(member.value));
      }
    }
    return found;
  }

 private:
  void take(const format::JsonSlice& slice) {
    if (slice.kind != format::JsonKind::object) return;
    auto members = format::json_members(slice);
    if (!members.ok()) return;
    members_ = std::move(members).value();
    valid_ = true;
  }
  [[nodiscard]] const format::JsonSlice* find(std::string_view key) const {
    for (const format::JsonMember& member : members_) {
      if (member.key == key) return &member.value;
    }
    return nullptr;
  }

  std::vector<format::JsonMember> members_;
  bool valid_ = false;
};

}  // namespace vouch::prove
