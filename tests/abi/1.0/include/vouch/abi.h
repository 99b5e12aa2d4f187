// The binary boundary: version numbers, magic, and the build tag, a text that names everything that
// changes the layout of the types in these headers. The host compares it part by part and names
// each difference. The compiler's version is not in it: a plugin built by clang against libstdc++
// runs in a host built by g++.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vouch/broker.h"
#include "vouch/event.h"
#include "vouch/settings.h"
#include "vouch/snapshot_store.h"
#include "vouch/storage.h"

namespace vouch {

/// Major: rises when a shipped vtable or boundary struct changes; must be equal.
/// Minor: rises with new optional interfaces; the plugin's must not exceed the host's.
inline constexpr std::uint16_t kAbiMajor = 1;
inline constexpr std::uint16_t kAbiMinor = 0;
inline constexpr std::uint32_t kPluginMagic = 0x48435556;  // "VUCH", little endian

inline constexpr std::size_t kBuildTagSize = 64;
using BuildTag = std::array<char, kBuildTagSize>;

namespace detail {

constexpr std::uint32_t fold(std::uint32_t hash, std::size_t value) {
  for (int i = 0; i < 4; ++i) {
    hash ^= static_cast<std::uint8_t>(value >> (8 * i));
    hash *= 16777619U;
  }
  return hash;
}

template <typename... Types>
constexpr std::uint32_t layout_hash() {
  std::uint32_t hash = 2166136261U;
  ((hash = fold(fold(hash, sizeof(Types)), alignof(Types))), ...);
  return hash;
}

constexpr void put(BuildTag& tag, std::size_t& at, std::string_view text) {
  for (const char c : text) {
    if (at + 1 < tag.size()) tag[at++] = c;
  }
}

}  // namespace detail

/// "std=gnu;str=new;debug=no;rtti=yes;eh=yes;bits=64;types=9c0fd1aa"
constexpr BuildTag build_tag() {
  BuildTag tag{};
  std::size_t at = 0;
#if defined(__GLIBCXX__)
  detail::put(tag, at, "std=gnu");
#elif defined(_LIBCPP_VERSION)
  detail::put(tag, at, "std=llvm");
#else
  detail::put(tag, at, "std=other");
#endif
#if defined(_GLIBCXX_USE_CXX11_ABI) && _GLIBCXX_USE_CXX11_ABI == 0
  detail::put(tag, at, ";str=old");
#else
  detail::put(tag, at, ";str=new");
#endif
#if defined(_GLIBCXX_DEBUG)
  detail::put(tag, at, ";debug=yes");
#else
  detail::put(tag, at, ";debug=no");
#endif
#if defined(__GXX_RTTI) || defined(__cpp_rtti)
  detail::put(tag, at, ";rtti=yes");
#else
  detail::put(tag, at, ";rtti=no");
#endif
#if defined(__EXCEPTIONS) || defined(__cpp_exceptions)
  detail::put(tag, at, ";eh=yes");
#else
  detail::put(tag, at, ";eh=no");
#endif
  detail::put(tag, at, sizeof(void*) == 8 ? ";bits=64" : ";bits=32");
  detail::put(tag, at, ";types=");
  const std::uint32_t hash =
      detail::layout_hash<std::string, std::string_view, std::vector<int>, std::optional<Version>,
                          std::unique_ptr<Lane>, std::span<const Append>, Status, Token, Cursor,
                          StreamName, EventId, NewEvent, EventView, Event, Write, Append,
                          StageResult, StagedGroup, Delivery, Backlog, FeedQuery, FeedPage,
                          Snapshot, Message, BrokerCapabilities, StorageCapabilities, Health,
                          SettingSpec>();
  for (int shift = 28; shift >= 0; shift -= 4) {
    const char digit = "0123456789abcdef"[(hash >> shift) & 0xfU];
    detail::put(tag, at, std::string_view(&digit, 1));
  }
  return tag;
}

}  // namespace vouch
