// Numbers and texts as bytes, little endian. Pure functions, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace storage_journal {

template <typename Number>
void put_number(std::string& out, Number value) {
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    out.push_back(static_cast<char>(static_cast<std::uint8_t>(value >> (8 * i))));
  }
}

/// Pre: the bytes are there.
template <typename Number>
Number number_at(std::string_view bytes, std::size_t at) {
  Number value = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    value |= static_cast<Number>(Number{static_cast<std::uint8_t>(bytes[at + i])} << (8 * i));
  }
  return value;
}

inline void put_text(std::string& out, std::string_view text) {
  put_number(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}

/// Takes values off the front; `good` is false once there was not enough, and they are empty then.
class Taker {
 public:
  explicit Taker(std::string_view bytes) : rest_(bytes) {}

  template <typename Number>
  Number number() {
    good_ = good_ && rest_.size() >= sizeof(Number);
    if (!good_) return 0;
    const auto value = number_at<Number>(rest_, 0);
    rest_.remove_prefix(sizeof(Number));
    return value;
  }
  std::string text() {
    const auto length = number<std::uint32_t>();
    good_ = good_ && rest_.size() >= length;
    if (!good_) return {};
    std::string value(rest_.substr(0, length));
    rest_.remove_prefix(length);
    return value;
  }
  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] bool done() const { return good_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool good_ = true;
};

}  // namespace storage_journal
