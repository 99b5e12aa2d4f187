#include "vouch/staging/partition_list.h"

#include <algorithm>
#include <charconv>

namespace vouch::staging {

std::string partition_list(std::span<const Partition> partitions) {
  std::string text;
  for (const Partition partition : partitions) {
    if (!text.empty()) text += ',';
    text += std::to_string(partition.value);
  }
  return text;
}

std::vector<Partition> read_partition_list(std::string_view text) {
  std::vector<Partition> partitions;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(','));
    Partition partition;
    const auto [end, error] =
        std::from_chars(word.data(), word.data() + word.size(), partition.value);
    if (error == std::errc() && end == word.data() + word.size()) partitions.push_back(partition);
    text.remove_prefix(std::min(text.size(), word.size() + 1));
  }
  return partitions;
}

}  // namespace vouch::staging
