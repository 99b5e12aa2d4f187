// The public face of the scanner and the walks. Stateless, any thread.
#include "format/json_text.h"

#include <algorithm>

#include "json_scanner.h"
#include "json_walk.h"
#include "text_bytes.h"

namespace vouch::format {
namespace {

Status error_at(std::string_view text, std::size_t offset, const char* what) {
  const std::string_view before = text.substr(0, offset);
  const auto lines = static_cast<std::uint64_t>(std::count(before.begin(), before.end(), '\n'));
  const std::size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0: the first line
  std::string message = "line ";
  append_number(message, lines + 1);
  message += ", column ";
  append_number(message, offset - line_begin + 1);
  message += ": ";
  message += what;
  return Status(StatusCode::invalid_argument, std::move(message));
}

/// The first key that occurs twice, in order of the keys; null when there is none.
const std::string* duplicate_key(const std::vector<JsonMember>& members) {
  // Comparing each with each is quickest for the few members that objects have.
  constexpr std::size_t kFew = 12;
  if (members.size() <= kFew) {
    for (std::size_t i = 1; i < members.size(); ++i) {
      for (std::size_t k = 0; k < i; ++k) {
        if (members[i].key == members[k].key) return &members[i].key;
      }
    }
    return nullptr;
  }
  std::vector<const std::string*> keys;
  keys.reserve(members.size());
  for (const JsonMember& member : members) keys.push_back(&member.key);
  std::sort(keys.begin(), keys.end(), [](const auto* a, const auto* b) { return *a < *b; });
  const auto twice = std::adjacent_find(keys.begin(), keys.end(),
                                        [](const auto* a, const auto* b) { return *a == *b; });
  return twice == keys.end() ? nullptr : *twice;
}

std::uint32_t hex_unit(std::string_view text, std::size_t at) {
  std::uint32_t unit = 0;
  for (const char digit : text.substr(at, 4)) {
    unit = unit * 16 + static_cast<std::uint32_t>(std::max(hex_value(digit), 0));
  }
  return unit;
}

void append_utf8(std::string& out, std::uint32_t point) {
  const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xc0U | (point >> 6U));
    put(0x80U | (point & 0x3fU));
  } else if (point < 0x10000) {
    put(0xe0U | (point >> 12U));
    put(0x80U | ((point >> 6U) & 0x3fU));
    put(0x80U | (point & 0x3fU));
  } else {
    put(0xf0U | (point >> 18U));
    put(0x80U | ((point >> 12U) & 0x3fU));
    put(0x80U | ((point >> 6U) & 0x3fU));
    put(0x80U | (point & 0x3fU));
  }
}

/// Appends what the escape whose letter is at `at` stands for; returns the index behind it.
std::size_t append_unescaped(std::string& out, std::string_view text, std::size_t at) {
  switch (text[at]) {
    case 'b':
      out += '\b';
      return at + 1;
    case 'f':
      out += '\f';
      return at + 1;
    case 'n':
      out += '\n';
      return at + 1;
    case 'r':
      out += '\r';
      return at + 1;
    case 't':
      out += '\t';
      return at + 1;
    case 'u':
      break;
    default:
      out += text[at];
      return at + 1;
  }
  const std::uint32_t unit = hex_unit(text, at + 1);
  if (unit < 0xd800 || unit > 0xdbff) {
    append_utf8(out, unit);
    return at + 5;
  }
  const std::uint32_t low = at + 7 <= text.size() ? hex_unit(text, at + 7) : 0;
  append_utf8(out, 0x10000 + ((unit - 0xd800) << 10U) + ((low - 0xdc00) & 0x3ffU));
  return at + 11;
}

}  // namespace

Result<JsonSlice> parse_json(std::string_view text) {
  JsonScanner scanner(text);
  if (!scanner.scan()) return error_at(text, scanner.error_offset(), scanner.error());
  return scanner.value();
}

Result<std::vector<JsonMember>> json_members(const JsonSlice& object) {
  constexpr std::size_t kUsual = 8;
  std::vector<JsonMember> members;
  members.reserve(kUsual);
  JsonWalk walk(JsonKind::object, object.text);
  while (walk.next()) {
    members.push_back({json_string({JsonKind::string, walk.raw_key()}), walk.value()});
  }
  if (!walk.complete()) return Status(StatusCode::invalid_argument, "not a JSON object");
  if (const std::string* key = duplicate_key(members)) {
    std::string message = "the key ";
    append_json_string(message, *key);
    message += " occurs twice";
    return Status(StatusCode::invalid_argument, std::move(message));
  }
  return members;
}

std::vector<JsonSlice> json_elements(const JsonSlice& array) {
  std::vector<JsonSlice> elements;
  JsonWalk walk(JsonKind::array, array.text);
  while (walk.next()) elements.push_back(walk.value());
  return elements;
}

std::string json_string(const JsonSlice& slice) {
  if (slice.text.size() < 2) return {};
  const std::string_view inside = slice.text.substr(1, slice.text.size() - 2);
  std::string out;
  out.reserve(inside.size());
  std::size_t at = 0;
  while (at < inside.size()) {
    const std::size_t escape = std::min(inside.find('\\', at), inside.size());
    out.append(inside, at, escape - at);
    if (escape + 1 >= inside.size()) break;
    at = append_unescaped(out, inside, escape + 1);
  }
  return out;
}

std::optional<std::uint64_t> json_unsigned(const JsonSlice& slice) {
  if (slice.kind != JsonKind::number) return std::nullopt;
  std::uint64_t value = 0;
  const char* const end = slice.text.data() + slice.text.size();
  const auto [stop, error] = std::from_chars(slice.text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

}  // namespace vouch::format
