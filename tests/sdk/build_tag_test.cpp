// The build tag and the descriptor that the plugin macro defines.
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstring>
#include <regex>

#include "vouch/plugin.h"

namespace vouch {
namespace {

TEST_CASE("the build tag names every part that changes the layout") {
  const BuildTag tag = build_tag();
  const std::string text(tag.data());
  INFO(text);
  CHECK(std::regex_match(
      text, std::regex("std=(gnu|llvm|other);str=(new|old);debug=(yes|no);rtti=(yes|no);"
                       "eh=(yes|no);bits=(32|64);types=[0-9a-f]{8}")));
  CHECK(text.size() < kBuildTagSize);
  CHECK(tag.back() == '\0');
}

TEST_CASE("the build tag tells this build from one with another standard library") {
  const std::string text(build_tag().data());
#if defined(__GLIBCXX__)
  CHECK(text.find("std=gnu") == 0);
#endif
  CHECK(text.find(";rtti=yes;eh=yes") != std::string::npos);
  CHECK(text.find(sizeof(void*) == 8 ? ";bits=64" : ";bits=32") != std::string::npos);
}

TEST_CASE("the type hash changes with size, alignment and order") {
  struct alignas(16) Aligned {
    char bytes[16];
  };
  struct Packed {
    char bytes[16];
  };
  CHECK(detail::layout_hash<int>() != detail::layout_hash<long long>());
  CHECK(detail::layout_hash<Aligned>() != detail::layout_hash<Packed>());
  CHECK(detail::layout_hash<int, char>() != detail::layout_hash<char, int>());
}

TEST_CASE("the fields that any host can read stand where they always stand") {
  CHECK(offsetof(PluginDescriptor, magic) == 0);
  CHECK(offsetof(PluginDescriptor, struct_size) == 4);
  CHECK(offsetof(PluginDescriptor, abi_major) == 8);
  CHECK(offsetof(PluginDescriptor, abi_minor) == 10);
  CHECK(offsetof(PluginDescriptor, kind) == 12);
  CHECK(offsetof(PluginDescriptor, build_tag) == 16);
  CHECK(offsetof(PluginDescriptor, name) == 80);
}

TEST_CASE("the magic spells VUCH in a file") {
  char bytes[4];
  std::memcpy(bytes, &kPluginMagic, sizeof(bytes));
  CHECK(std::string(bytes, 4) == "VUCH");
}

}  // namespace
}  // namespace vouch
