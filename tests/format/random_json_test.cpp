// Random documents, whole and damaged, against a second reader of the grammar: the plain recursive
// one, which is right because it is simple.
#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "format/json_text.h"
#include "random_seed.h"

namespace vouch::format {
namespace {

class PlainReader {
 public:
  static bool accepts(std::string_view text) {
    PlainReader reader(text);
    reader.space();
    if (!reader.value(0)) return false;
    reader.space();
    return reader.at_ == text.size();
  }

 private:
  explicit PlainReader(std::string_view text) : text_(text) {}

  bool take(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }
  void space() {
    while (take(" ") || take("\t") || take("\r") || take("\n")) continue;
  }
  bool take_between(char low, char high) {
    if (at_ == text_.size() || text_[at_] < low || text_[at_] > high) return false;
    ++at_;
    return true;
  }
  bool digits() {
    if (!take_between('0', '9')) return false;
    while (take_between('0', '9')) continue;
    return true;
  }
  bool number() {
    take("-");
    if (!take("0") && !digits()) return false;
    if (take(".") && !digits()) return false;
    if (!take("e") && !take("E")) return true;
    if (!take("+")) take("-");
    return digits();
  }
  int unit() {
    int value = 0;
    for (int i = 0; i < 4; ++i) {
      if (at_ == text_.size()) return -1;
      const std::string_view all = "0123456789abcdef0123456789ABCDEF";
      const std::size_t digit = all.find(text_[at_++]);
      if (digit == std::string_view::npos) return -1;
      value = value * 16 + static_cast<int>(digit % 16);
    }
    return value;
  }
  bool escape() {
    for (const char* simple : {"\"", "\\", "/", "b", "f", "n", "r", "t"}) {
      if (take(simple)) return true;
    }
    if (!take("u")) return false;
    const int first = unit();
    if (first < 0 || (first >= 0xdc00 && first <= 0xdfff)) return false;
    if (first < 0xd800 || first > 0xdbff) return true;
    if (!take("\\u")) return false;
    const int second = unit();
    return second >= 0xdc00 && second <= 0xdfff;
  }
  bool string() {
    const std::size_t begin = at_;
    if (!take("\"")) return false;
    while (!take("\"")) {
      if (at_ == text_.size()) return false;
      if (take("\\")) {
        if (!escape()) return false;
      } else if (static_cast<unsigned char>(text_[at_++]) < 0x20) {
        return false;
      }
    }
    return is_utf8(text_.substr(begin, at_ - begin));
  }
  bool list(std::size_t depth, bool object, std::string_view close) {
    if (depth == kMaxJsonDepth) return false;
    space();
    if (take(close)) return true;
    do {
      space();
      if (object) {
        if (!string()) return false;
        space();
        if (!take(":")) return false;
        space();
      }
      if (!value(depth + 1)) return false;
      space();
    } while (take(","));
    return take(close);
  }
  bool value(std::size_t depth) {
    if (take("{")) return list(depth, true, "}");
    if (take("[")) return list(depth, false, "]");
    if (text_.substr(at_, 1) == "\"") return string();
    return take("true") || take("false") || take("null") || number();
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

template <typename Choices>
auto one_of(Random& random, const Choices& choices) {
  return choices[below(random, std::size(choices))];
}

std::string random_space(Random& random) {
  static const std::vector<std::string> kSpaces = {"", "", "", " ", "\n", "\t ", "\r\n  "};
  return one_of(random, kSpaces);
}

std::string random_string(Random& random) {
  static const std::vector<std::string> kPieces = {
      "a",         "plain text ",     "é", "€", "😀", R"(\n)", R"(\")", R"(\\)", R"(\/)",
      R"(\u0041)", R"(\ud83d\ude00)", "{", "]", ",", ":",     "\x7f"};
  std::string text = "\"";
  for (std::size_t count = below(random, 12); count > 0; --count) text += one_of(random, kPieces);
  return text + "\"";
}

std::string random_value(Random& random, std::size_t depth) {
  static const std::vector<std::string> kScalars = {
      "0",    "-0",    "1.10", "1e400", "-2.5E-3", "12345678901234567890123456789012345678901",
      "true", "false", "null"};
  const std::size_t kind = below(random, depth == 0 ? 2 : 4);
  if (kind == 0) return one_of(random, kScalars);
  if (kind == 1) return random_string(random);
  const bool object = kind == 2;
  std::string text(1, object ? '{' : '[');
  const std::size_t count = below(random, 6);
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) text += ",";
    text += random_space(random);
    if (object) text += "\"k" + std::to_string(i) + "\"" + random_space(random) + ":";
    text += random_space(random) + random_value(random, depth - 1) + random_space(random);
  }
  return text + (object ? "}" : "]");
}

void damage(Random& random, std::string& text) {
  static const std::string kBytes = "{}[]\",:\\u0159eE+-.tfn \n\x01\x80\xc3\xff";
  const std::size_t at = below(random, text.size());
  switch (below(random, 4)) {
    case 0:
      text[at] = one_of(random, kBytes);
      break;
    case 1:
      text.insert(at, 1, one_of(random, kBytes));
      break;
    case 2:
      text.erase(at, 1 + below(random, 3));
      break;
    default:
      text.resize(at);
      break;
  }
}

/// Takes everything apart to the last value; the texts must be found again in the document.
void take_apart(const JsonSlice& slice) {
  if (slice.kind == JsonKind::object) {
    const auto members = json_members(slice);
    if (!members.ok()) return;
    for (const JsonMember& member : *members) take_apart(member.value);
    return;
  }
  if (slice.kind == JsonKind::array) {
    for (const JsonSlice& element : json_elements(slice)) take_apart(element);
    return;
  }
  const auto again = parse_json(slice.text);
  REQUIRE(again.ok());
  REQUIRE(again->text == slice.text);
  if (slice.kind != JsonKind::string) return;
  std::string quoted;
  append_json_string(quoted, json_string(slice));
  REQUIRE(json_string({JsonKind::string, quoted}) == json_string(slice));
}

TEST_CASE("random documents are accepted and come apart byte for byte") {
  VOUCH_RANDOM(random);
  for (int i = 0; i < 2'000; ++i) {
    const std::string value = random_value(random, 1 + below(random, 5));
    const std::string text = random_space(random) + "{\"a\":1," + random_space(random) +
                             "\"data\"" + random_space(random) + ":" + random_space(random) +
                             value + random_space(random) + "}" + random_space(random);
    INFO(text);
    const auto document = parse_json(text);
    REQUIRE(document.ok());
    const auto members = json_members(*document);
    REQUIRE(members.ok());
    REQUIRE(members->size() == 2);
    REQUIRE((*members)[1].value.text == value);
    take_apart(*document);
  }
}

TEST_CASE("damaged documents are judged as the plain reader judges them") {
  VOUCH_RANDOM(random);
  int refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text = random_value(random, 1 + below(random, 4));
    for (std::size_t times = 1 + below(random, 3); times > 0 && !text.empty(); --times) {
      damage(random, text);
    }
    INFO(text);
    const auto document = parse_json(text);
    REQUIRE(document.ok() == PlainReader::accepts(text));
    if (document.ok()) {
      take_apart(*document);
    } else {
      ++refused;
    }
  }
  CHECK(refused > 1'000);
}

TEST_CASE("random bytes do no harm, checked or not") {
  VOUCH_RANDOM(random);
  static const std::string kBytes = "{}[]\",:\\u0159edE+-.tfn \n\x01\x80\xc3\xff";
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (std::size_t size = below(random, 40); size > 0; --size) text += one_of(random, kBytes);
    INFO(text);
    REQUIRE(parse_json(text).ok() == PlainReader::accepts(text));
    const auto members = json_members({JsonKind::object, text});
    if (members.ok()) REQUIRE(text.find("{") < text.find("}"));
    for (const JsonSlice& element : json_elements({JsonKind::array, text})) {
      REQUIRE(element.text.data() >= text.data());
      REQUIRE(element.text.data() + element.text.size() <= text.data() + text.size());
    }
    REQUIRE(json_string({JsonKind::string, text}).size() <= text.size());
  }
}

TEST_CASE("any bytes become a JSON string that is read back as UTF-8") {
  VOUCH_RANDOM(random);
  for (int i = 0; i < 5'000; ++i) {
    const std::string bytes = random_bytes(random, below(random, 50));
    std::string quoted;
    append_json_string(quoted, bytes);
    const auto slice = parse_json(quoted);
    REQUIRE(slice.ok());
    const std::string back = json_string(*slice);
    REQUIRE(is_utf8(back));
    if (is_utf8(bytes)) REQUIRE(back == bytes);
  }
}

}  // namespace
}  // namespace vouch::format
