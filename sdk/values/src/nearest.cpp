// The nearest known name to a mistyped one: edit distance in which swapped neighbours are one edit,
// and case and the choice between - and _ cost nothing.
#include <algorithm>
#include <numeric>

#include "vouch/values/setting_values.h"

namespace vouch::values {
namespace {

constexpr std::size_t kLongestName = 64;

std::string folded(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '-') c = '_';
  }
  return out;
}

/// Optimal string alignment distance, three rows at a time.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before;
  std::vector<std::size_t> previous(b.size() + 1);
  std::vector<std::size_t> current(b.size() + 1);
  std::iota(previous.begin(), previous.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      current[j] = std::min({replace, previous[j] + 1, current[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        current[j] = std::min(current[j], before[j - 2] + 1);
      }
    }
    before = previous;
    std::swap(previous, current);
  }
  return previous[b.size()];
}

}  // namespace

std::optional<std::string> nearest(std::string_view key, std::span<const std::string_view> known) {
  if (key.empty() || key.size() > kLongestName) return std::nullopt;
  const std::string wanted = folded(key);
  std::optional<std::string> best;
  // A third of the letters may be wrong; more is another word.
  std::size_t best_distance = std::max<std::size_t>(1, key.size() / 3) + 1;
  for (const std::string_view name : known) {
    const std::size_t edits = distance(wanted, folded(name));
    if (edits < best_distance) {
      best_distance = edits;
      best = std::string(name);
    }
  }
  return best;
}

}  // namespace vouch::values
