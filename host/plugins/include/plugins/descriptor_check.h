// Whether a plugin fits this host, and if not, in words for people: what is wrong, for what it was
// built, what to do. Pure functions, any thread. Errors: failed_precondition.
#pragma once

#include <string>

#include "plugins/elf_look.h"
#include "vouch/plugin.h"

namespace vouch::plugins {

/// Before loading: magic number, ABI, size, build tag.
Status check_head(const std::string& path, const DescriptorHead& head);

/// After loading: what lies behind pointers, and whether the name is the file's.
Status check_descriptor(const std::string& path, const PluginDescriptor& descriptor);

/// Whether it is of the kind that is wanted.
Status check_kind(const std::string& path, const PluginDescriptor& descriptor, PluginKind wanted);

}  // namespace vouch::plugins
