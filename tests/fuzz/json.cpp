// JSON text: what the scanner takes can be walked, taken apart and put together again; what it does
// not take does no harm to the walks either.
#include <string>
#include <vector>

#include "format/json_text.h"
#include "format/metadata.h"
#include "fuzz_target.h"

namespace vouch::fuzz {
namespace {

using format::JsonKind;
using format::JsonSlice;

std::string quoted(std::string_view text) {
  std::string out;
  format::append_json_string(out, text);
  return out;
}

/// The value without space between its tokens and with every string in its shortest form. Empty
/// when a key occurs twice.
std::string put_together(const JsonSlice& slice) {
  std::string out;
  if (slice.kind == JsonKind::string) return quoted(format::json_string(slice));
  if (slice.kind == JsonKind::array) {
    for (const JsonSlice& element : format::json_elements(slice)) {
      const std::string part = put_together(element);
      if (part.empty()) return {};
      out += (out.empty() ? "[" : ",") + part;
    }
    return out.empty() ? "[]" : out + "]";
  }
  if (slice.kind != JsonKind::object) return std::string(slice.text);
  const auto members = format::json_members(slice);
  if (!members.ok()) return {};
  for (const auto& [key, value] : *members) {
    const std::string part = put_together(value);
    if (part.empty()) return {};
    out += (out.empty() ? "{" : ",") + quoted(key) + ":" + part;
  }
  return out.empty() ? "{}" : out + "}";
}

void check_members(const JsonSlice& object) {
  constexpr std::string_view kValue = "a\"b\\\n\x01\xff";
  const std::string with = format::with_member(object.text, "traceparent", kValue);
  demand(format::parse_json(with).ok(), "metadata with one member more is JSON", with);
  const auto had = format::string_member(object.text, "traceparent");
  const auto has = format::string_member(with, "traceparent");
  demand(!had || has == had, "a member that was there is not replaced", with);
}

void check_taken(std::string_view text, const JsonSlice& document) {
  demand(format::is_utf8(text), "JSON is UTF-8", text);
  const std::string once = put_together(document);
  if (document.kind == JsonKind::object) check_members(document);
  if (once.empty()) return;
  const auto again = format::parse_json(once);
  demand(again.ok(), "what is put together is JSON", once);
  demand(again->kind == document.kind, "its kind stays", once);
  demand(put_together(*again) == once, "putting it together again changes nothing", once);
}

void check_refused(std::string_view text, const Status& status) {
  demand(status.message().find("line ") != std::string::npos, "a refusal says where", text);
  for (const JsonKind kind : {JsonKind::object, JsonKind::array}) {
    static_cast<void>(format::json_members({kind, text}));
    static_cast<void>(format::json_elements({kind, text}));
  }
  static_cast<void>(format::json_string({JsonKind::string, text}));
  static_cast<void>(format::json_unsigned({JsonKind::number, text}));
}

}  // namespace
}  // namespace vouch::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vouch;
  const std::string_view text = fuzz::text_of(data, size);
  const auto document = format::parse_json(text);
  if (document.ok()) {
    fuzz::check_taken(text, *document);
  } else {
    fuzz::check_refused(text, document.status());
  }
  const std::string string = fuzz::quoted(text);
  const auto parsed = format::parse_json(string);
  fuzz::demand(parsed.ok(), "any bytes can be quoted", string);
  fuzz::demand(!format::is_utf8(text) || format::json_string(*parsed) == text,
               "a quoted text comes back", text);
  return 0;
}
