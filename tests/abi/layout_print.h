// What of a type a compiled plugin depends on, as lines of text: sizes, the places and types of
// fields, the slots and signatures of virtual methods, the values of enumerators. One line is one
// fact, so that a difference names what changed. Itanium C++ ABI, 64 bits (as the build tag demands
// of plugins).
#pragma once

#include <cxxabi.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

namespace layout {

struct Field {
  const char* name;
  std::size_t offset;
  std::string type;
};

struct Method {
  const char* name;
  std::size_t slot;
  std::string type;
};

/// Pair of a type, so that references and qualifiers of `T` stay in its name.
template <typename T>
struct Exactly {};

/// The type's name as the C++ ABI spells it, with the standard library's long ones cut.
template <typename T>
std::string type_name() {
  const char* const mangled = typeid(Exactly<T>).name();
  char* const text = abi::__cxa_demangle(mangled, nullptr, nullptr, nullptr);
  std::string name(text);
  std::free(text);
  constexpr std::string_view kBefore = "layout::Exactly<";
  name = name.substr(kBefore.size(), name.size() - kBefore.size() - 1);
  constexpr std::pair<std::string_view, std::string_view> kShort[] = {
      {"std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >",
       "std::string"},
      {"std::basic_string_view<char, std::char_traits<char> >", "std::string_view"}};
  for (const auto& [from, to] : kShort) {
    for (std::size_t at = 0; (at = name.find(from, at)) != std::string::npos;) {
      name.replace(at, from.size(), to);
    }
  }
  while (!name.empty() && name.back() == ' ') name.pop_back();
  return name;
}

/// The place of a virtual method in its class' table. A pointer to a virtual method holds the
/// offset in the table: with 1 added on most machines (Itanium C++ ABI 2.3), as it is on ARM, which
/// keeps that mark in the second word.
template <typename Pointer>
std::size_t slot_of(Pointer method) {
  std::uintptr_t words[2] = {};
  static_assert(sizeof(method) == sizeof(words));
  std::memcpy(words, &method, sizeof(words));
#if defined(__aarch64__) || defined(__arm__)
  const bool is_virtual = (words[1] & 1U) != 0;
  const std::uintptr_t offset = words[0];
#else
  const bool is_virtual = (words[0] & 1U) != 0;
  const std::uintptr_t offset = words[0] - 1;
#endif
  if (!is_virtual) {
    std::fprintf(stderr, "a method that is listed as virtual is not\n");
    std::abort();
  }
  return offset / sizeof(void*);
}

/// The next slot behind those of `T`, which tells how many there are (a virtual destructor has
/// two).
template <typename T>
struct Next : T {
  virtual void next() = 0;
};

/// Converts to anything; to count the fields of an aggregate.
struct Anything {
  template <typename T>
  operator T() const;  // NOLINT(google-explicit-constructor)
};

template <typename T, typename... Given>
constexpr std::size_t field_count() {
  if constexpr (requires { T{Given{}..., Anything{}}; }) {
    return field_count<T, Given..., Anything>();
  } else {
    return sizeof...(Given);
  }
}

template <typename T>
void print_struct(const char* name, const std::vector<Field>& fields) {
  std::printf("struct %s: %zu bytes, aligned to %zu", name, sizeof(T), alignof(T));
  if constexpr (std::is_aggregate_v<T>) std::printf(", %zu fields", field_count<T>());
  std::printf("\n");
  for (const Field& field : fields) {
    std::printf("struct %s: %s at %zu: %s\n", name, field.name, field.offset, field.type.c_str());
  }
}

template <typename T>
void print_interface(const char* name, const std::vector<Method>& methods) {
  std::printf("interface %s: %zu slots, %zu bytes\n", name, slot_of(&Next<T>::next), sizeof(T));
  for (const Method& method : methods) {
    std::printf("interface %s: %s in slot %zu: %s\n", name, method.name, method.slot,
                method.type.c_str());
  }
}

/// "vouch::StatusCode::ok", or "(vouch::StatusCode)99" for what has no name.
template <typename E, E Value>
constexpr std::string_view spelled() {
  std::string_view text = __PRETTY_FUNCTION__;
  text.remove_prefix(text.find("Value = ") + 8);
  return text.substr(0, text.find_first_of(",;]"));
}

template <typename E, std::size_t... Values>
void print_enum(const char* name, std::index_sequence<Values...> /*values*/) {
  std::printf("enum %s: of %s\n", name, type_name<std::underlying_type_t<E>>().c_str());
  const std::string_view texts[] = {spelled<E, static_cast<E>(Values)>()...};
  for (std::size_t value = 0; value < std::size(texts); ++value) {
    if (texts[value].front() == '(') continue;
    const std::string last(texts[value].substr(texts[value].rfind(':') + 1));
    std::printf("enum %s: %s = %zu\n", name, last.c_str(), value);
  }
}

/// Values from 0 to 127 are looked at.
template <typename E>
void print_enum(const char* name) {
  print_enum<E>(name, std::make_index_sequence<128>());
}

}  // namespace layout

#define STRUCT(type, ...)                             \
  {                                                   \
    using Type = type;                                \
    layout::print_struct<Type>(#type, {__VA_ARGS__}); \
  }
#define FIELD(field)                                                            \
  layout::Field {                                                               \
#field, offsetof(Type, field), layout::type_name < decltype(Type::field)>() \
  }
#define INTERFACE(type, ...)                             \
  {                                                      \
    using Type = type;                                   \
    layout::print_interface<Type>(#type, {__VA_ARGS__}); \
  }
#define METHOD(method)                                                                      \
  layout::Method {                                                                          \
#method, layout::slot_of(&Type::method), layout::type_name < decltype(&Type::method)>() \
  }
#define ENUM(type) layout::print_enum<type>(#type);
#define INTERFACE_ID(type) std::printf("id %s: %s\n", #type, type::kInterface);
