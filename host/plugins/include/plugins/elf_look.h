// A look into a library file without loading it, so that nothing of a foreign, broken or mismatched
// library runs. Reads only the few parts that it needs. [any-thread]
#pragma once

#include <cstddef>
#include <string>

#include "vouch/plugin.h"

namespace vouch::plugins {

/// The part of PluginDescriptor that never moves, as it lies in the file.
struct DescriptorHead {
  std::uint32_t magic = 0;
  std::uint32_t struct_size = 0;
  std::uint16_t abi_major = 0;
  std::uint16_t abi_minor = 0;
  PluginKind kind{};
  BuildTag build_tag{};
};
static_assert(offsetof(PluginDescriptor, build_tag) == offsetof(DescriptorHead, build_tag) &&
                  sizeof(DescriptorHead) == offsetof(PluginDescriptor, build_tag) + kBuildTagSize,
              "these fields never move, in any ABI version");

/// Errors: failed_precondition with what is wrong and what to do: unreadable, empty, not an ELF
/// shared library for this machine, damaged, or without the descriptor's symbol.
Result<DescriptorHead> look_into(const std::string& path);

}  // namespace vouch::plugins
