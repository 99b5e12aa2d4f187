// Steps over checked JSON: only quotes, backslashes and brackets matter.
#include "json_walk.h"

#include <algorithm>

#include "json_scanner.h"
#include "text_bytes.h"

namespace vouch::format {

JsonWalk::JsonWalk(JsonKind kind, std::string_view text)
    : text_(text), object_(kind == JsonKind::object) {
  skip_space();
  ended_ = !at(object_ ? '{' : '[');
  if (!ended_) ++at_;
}

bool JsonWalk::next() {
  if (ended_) return false;
  skip_space();
  if (at(object_ ? '}' : ']')) {
    complete_ = true;
    ended_ = true;
    return false;
  }
  if (!first_) {
    if (at(',')) ++at_;
    skip_space();
  }
  first_ = false;
  ended_ = (object_ && !read_key()) || !read_value();
  return !ended_;
}

bool JsonWalk::key_is(std::string_view name) const {
  if (raw_key_.find('\\') == std::string_view::npos) {
    return raw_key_.size() == name.size() + 2 && raw_key_.substr(1, name.size()) == name;
  }
  return json_string({JsonKind::string, raw_key_}) == name;
}

bool JsonWalk::read_key() {
  const std::size_t begin = at_;
  if (!at('"') || !skip_string()) return false;
  raw_key_ = text_.substr(begin, at_ - begin);
  skip_space();
  if (!at(':')) return false;
  ++at_;
  skip_space();
  return true;
}

bool JsonWalk::read_value() {
  if (at_ == text_.size()) return false;
  const std::size_t begin = at_;
  const JsonKind kind = kind_of(text_[begin]);
  if (kind == JsonKind::string) {
    if (!skip_string()) return false;
  } else if (kind == JsonKind::object || kind == JsonKind::array) {
    if (!skip_container()) return false;
  } else {
    skip_scalar();
    if (at_ == begin) return false;
  }
  value_ = {kind, text_.substr(begin, at_ - begin)};
  return true;
}

void JsonWalk::skip_space() {
  while (at(' ') || at('\n') || at('\t') || at('\r')) ++at_;
}

bool JsonWalk::skip_string() {
  ++at_;
  while (at_ < text_.size()) {
    at_ = quote_or_backslash(text_, at_);
    if (at('"')) {
      ++at_;
      return true;
    }
    at_ = std::min(at_ + 2, text_.size());
  }
  return false;
}

bool JsonWalk::skip_container() {
  std::size_t depth = 0;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '"') {
      if (!skip_string()) return false;
      continue;
    }
    ++at_;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return true;
  }
  return false;
}

void JsonWalk::skip_scalar() {
  constexpr std::string_view kEnds = ",]} \n\t\r";
  while (at_ < text_.size() && kEnds.find(text_[at_]) == std::string_view::npos) ++at_;
}

}  // namespace vouch::format
