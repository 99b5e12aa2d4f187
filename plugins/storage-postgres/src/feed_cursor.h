// A place in the feed: for each lane the last place that was read. As bytes: the
// format, then pairs of lane and place, in base-128 numbers (low groups first), sorted by lane;
// places of 0 are left out. Plain value, any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace vouch::postgres {

class FeedPlace {
 public:
  std::map<std::uint32_t, std::int64_t> lanes;

  [[nodiscard]] std::int64_t of(std::uint32_t lane) const {
    const auto found = lanes.find(lane);
    return found == lanes.end() ? 0 : found->second;
  }

  /// The beginning is no bytes at all.
  [[nodiscard]] std::string bytes() const {
    std::string text;
    for (const auto& [lane, place] : lanes) {
      if (place == 0) continue;
      if (text.empty()) text.push_back(kFormat);
      put(text, lane);
      put(text, static_cast<std::uint64_t>(place));
    }
    return text;
  }

  /// Nothing when the bytes are no cursor of this plugin.
  static std::optional<FeedPlace> parse(std::string_view bytes) {
    FeedPlace place;
    if (bytes.empty()) return place;
    if (bytes.front() != kFormat || bytes.size() == 1) return std::nullopt;
    bytes.remove_prefix(1);
    while (!bytes.empty()) {
      const auto lane = take(bytes);
      const auto at = lane ? take(bytes) : std::nullopt;
      if (!at || *lane > INT32_MAX || *at == 0 || *at > INT64_MAX) return std::nullopt;
      const auto number = static_cast<std::uint32_t>(*lane);
      if (!place.lanes.empty() && number <= place.lanes.rbegin()->first) return std::nullopt;
      place.lanes.emplace(number, static_cast<std::int64_t>(*at));
    }
    return place;
  }

 private:
  static constexpr char kFormat = 'L';

  static void put(std::string& out, std::uint64_t value) {
    for (; value >= 0x80; value >>= 7U) {
      out.push_back(static_cast<char>(static_cast<std::uint8_t>(value | 0x80U)));
    }
    out.push_back(static_cast<char>(static_cast<std::uint8_t>(value)));
  }
  static std::optional<std::uint64_t> take(std::string_view& bytes) {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 63 && !bytes.empty(); shift += 7) {
      const auto byte = static_cast<std::uint8_t>(bytes.front());
      bytes.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7fU} << shift;
      // One spelling for each number, so that equal places are equal bytes.
      if (byte < 0x80U) return byte == 0 && shift > 0 ? std::nullopt : std::optional(value);
    }
    return std::nullopt;
  }
};

}  // namespace vouch::postgres
