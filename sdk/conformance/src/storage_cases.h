// The storage cases by subject; `storage_cases` puts them together.
#pragma once

#include <span>

#include "vouch/conformance/storage_suite.h"

namespace vouch::conformance {

std::span<const StorageCase> setup_cases();
std::span<const StorageCase> append_cases();
std::span<const StorageCase> retry_cases();
std::span<const StorageCase> race_cases();
std::span<const StorageCase> read_cases();
std::span<const StorageCase> feed_cases();
std::span<const StorageCase> ledger_cases();
std::span<const StorageCase> resolve_cases();
std::span<const StorageCase> snapshot_cases();
std::span<const StorageCase> dead_letter_cases();
std::span<const StorageCase> host_cases();
std::span<const StorageCase> erase_cases();

}  // namespace vouch::conformance
