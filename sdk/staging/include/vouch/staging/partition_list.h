// Partitions as text, for storages that keep a list of them in one column: "0,3,7". Stateless.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vouch/types.h"

namespace vouch::staging {

std::string partition_list(std::span<const Partition> partitions);

/// The reverse. What is no number is left out.
std::vector<Partition> read_partition_list(std::string_view text);

}  // namespace vouch::staging
