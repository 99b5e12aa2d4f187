// The strict scanner. Each step consumes one token; what may follow is kept in `next_`.
#include "json_scanner.h"

#include "text_bytes.h"

namespace vouch::format {

JsonKind kind_of(char first) {
  switch (first) {
    case '{':
      return JsonKind::object;
    case '[':
      return JsonKind::array;
    case '"':
      return JsonKind::string;
    case 't':
    case 'f':
      return JsonKind::boolean;
    case 'n':
      return JsonKind::null;
    default:
      return JsonKind::number;
  }
}

bool JsonScanner::scan() {
  skip_space();
  if (at_end()) return fail("a value is missing");
  const std::size_t begin = at_;
  do {
    if (!step()) return false;
  } while (depth_ > 0 || next_ != Next::after_value);
  value_ = {kind_of(text_[begin]), text_.substr(begin, at_ - begin)};
  skip_space();
  return at_end() || fail("nothing may follow the value");
}

bool JsonScanner::step() {
  skip_space();
  if (at_end()) return fail("the text ends too early");
  switch (next_) {
    case Next::value:
      return begin_value();
    case Next::first_element:
      return text_[at_] == ']' ? end_container() : begin_value();
    case Next::first_key:
      return text_[at_] == '}' ? end_container() : key();
    case Next::key:
      return key();
    case Next::after_value:
      return after_value();
  }
  return false;
}

bool JsonScanner::begin_value() {
  next_ = Next::after_value;
  const char c = text_[at_];
  switch (c) {
    case '{':
      return begin_container(true);
    case '[':
      return begin_container(false);
    case '"':
      return string();
    case 't':
      return literal("true");
    case 'f':
      return literal("false");
    case 'n':
      return literal("null");
    default:
      return c == '-' || is_digit(c) ? number() : fail("expected a value");
  }
}

bool JsonScanner::begin_container(bool object) {
  if (depth_ == kMaxJsonDepth) return fail("nested too deep");
  const std::uint64_t bit = std::uint64_t{1} << (depth_ % 64);
  std::uint64_t& word = objects_[depth_ / 64];
  word = object ? word | bit : word & ~bit;
  ++depth_;
  ++at_;
  next_ = object ? Next::first_key : Next::first_element;
  return true;
}

bool JsonScanner::end_container() {
  --depth_;
  ++at_;
  next_ = Next::after_value;
  return true;
}

bool JsonScanner::key() {
  if (!at('"')) return fail("expected a key in quotes");
  if (!string()) return false;
  skip_space();
  if (!at(':')) return fail("expected ':' behind the key");
  ++at_;
  next_ = Next::value;
  return true;
}

bool JsonScanner::after_value() {
  const char c = text_[at_];
  const bool object = in_object();
  if (c == ',') {
    ++at_;
    next_ = object ? Next::key : Next::value;
    return true;
  }
  if (c == (object ? '}' : ']')) return end_container();
  return fail(object ? "expected ',' or '}'" : "expected ',' or ']'");
}

bool JsonScanner::string() {
  const std::size_t begin = at_++;
  for (;;) {
    at_ = plain_end(text_, at_);
    if (at_end()) return fail_at(begin, "the string that begins here has no end");
    const char c = text_[at_];
    if (c == '"') {
      ++at_;
      return true;
    }
    if (c == '\\') {
      if (!escape()) return false;
      continue;
    }
    if (static_cast<unsigned char>(c) < 0x20) return fail("a control character must be escaped");
    const std::size_t length = utf8_length(text_, at_);
    if (length == 0) return fail("not UTF-8");
    at_ += length;
  }
}

bool JsonScanner::escape() {
  if (at_ + 1 == text_.size()) return fail("the text ends within an escape");
  switch (text_[at_ + 1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
      at_ += 2;
      return true;
    case 'u':
      return unicode_escape();
    default:
      return fail("unknown escape");
  }
}

bool JsonScanner::unicode_escape() {
  const std::size_t begin = at_;
  std::uint32_t unit = 0;
  if (!four_hex_digits(unit)) return fail_at(begin, "\\u needs four hexadecimal digits");
  if (unit < 0xd800 || unit > 0xdfff) return true;
  const bool high = unit < 0xdc00;
  if (!high || text_.substr(at_, 2) != "\\u") return fail_at(begin, "half a surrogate pair");
  std::uint32_t low = 0;
  if (!four_hex_digits(low) || low < 0xdc00 || low > 0xdfff) {
    return fail_at(begin, "half a surrogate pair");
  }
  return true;
}

bool JsonScanner::four_hex_digits(std::uint32_t& unit) {
  if (text_.size() - at_ < 6) return false;
  unit = 0;
  for (std::size_t i = 2; i < 6; ++i) {
    const int value = hex_value(text_[at_ + i]);
    if (value < 0) return false;
    unit = unit * 16 + static_cast<std::uint32_t>(value);
  }
  at_ += 6;
  return true;
}

bool JsonScanner::number() {
  if (at('-')) ++at_;
  if (at('0')) {
    ++at_;
    if (!at_end() && is_digit(text_[at_])) return fail("a number has no leading zero");
  } else if (!digits()) {
    return false;
  }
  if (at('.')) {
    ++at_;
    if (!digits()) return false;
  }
  if (at('e') || at('E')) {
    ++at_;
    if (at('+') || at('-')) ++at_;
    if (!digits()) return false;
  }
  return true;
}

bool JsonScanner::digits() {
  if (at_end() || !is_digit(text_[at_])) return fail("expected a digit");
  while (!at_end() && is_digit(text_[at_])) ++at_;
  return true;
}

bool JsonScanner::literal(std::string_view word) {
  if (text_.substr(at_, word.size()) != word) return fail("expected a value");
  at_ += word.size();
  return true;
}

void JsonScanner::skip_space() {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c != ' ' && c != '\n' && c != '\t' && c != '\r') return;
    ++at_;
  }
}

bool JsonScanner::fail(const char* error) {
  return fail_at(at_, error);
}

bool JsonScanner::fail_at(std::size_t offset, const char* error) {
  error_offset_ = offset;
  error_ = error;
  return false;
}

}  // namespace vouch::format
