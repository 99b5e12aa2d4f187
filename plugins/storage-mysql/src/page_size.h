// PageSize: how many rows to ask for at once, so that small events travel in large pages and large
// ones do not fill memory. One thread.
#pragma once

#include <algorithm>
#include <cstdint>

namespace vouch::mysql {

class PageSize {
 public:
  /// Starts at `first` rows and never asks for more than `most`.
  PageSize(std::uint32_t first, std::uint32_t most) : rows_(first), most_(most) {}

  [[nodiscard]] std::uint32_t rows() const { return rows_; }

  /// A page came back with that many rows and bytes.
  void saw(std::uint64_t rows, std::uint64_t bytes) {
    constexpr std::uint64_t kBytes = 4U << 20U;
    if (rows == 0) return;
    const std::uint64_t fit = std::max<std::uint64_t>(kBytes / (bytes / rows + 1), 4);
    rows_ =
        static_cast<std::uint32_t>(std::min({std::uint64_t{rows_} * 4, fit, std::uint64_t{most_}}));
  }

 private:
  std::uint32_t rows_;
  std::uint32_t most_;
};

}  // namespace vouch::mysql
