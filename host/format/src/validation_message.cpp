// Writing and reading of validation messages. Stateless, any thread.
#include "format/validation_message.h"

#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "format/json_text.h"
#include "format/text_codec.h"
#include "text_bytes.h"

namespace vouch::format {
namespace {

constexpr std::uint64_t kVersion = 1;

Status refused(std::string_view why) {
  return Status(StatusCode::invalid_argument, "not a validation message: " + std::string(why));
}

const JsonSlice* find(const std::vector<JsonMember>& members, std::string_view key) {
  for (const JsonMember& member : members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

std::optional<std::uint64_t> find_number(const std::vector<JsonMember>& members,
                                         std::string_view key, std::uint64_t max) {
  const JsonSlice* slice = find(members, key);
  if (slice == nullptr) return std::nullopt;
  const std::optional<std::uint64_t> number = json_unsigned(*slice);
  return number && *number <= max ? number : std::nullopt;
}

std::optional<std::string> find_string(const std::vector<JsonMember>& members,
                                       std::string_view key) {
  const JsonSlice* slice = find(members, key);
  if (slice == nullptr || slice->kind != JsonKind::string) return std::nullopt;
  return json_string(*slice);
}

}  // namespace

std::string write_validation_message(const ValidationMessage& message) {
  std::string out = "{\"v\":";
  append_number(out, kVersion);
  out += ",\"store\":";
  append_json_string(out, message.store);
  out += ",\"tx\":\"";
  out += token_text(message.token);
  out += "\",\"partition\":";
  append_number(out, message.delivery.partition.value);
  out += ",\"delivery\":";
  append_number(out, message.delivery.number.value);
  out += ",\"events\":";
  append_number(out, message.events);
  out += '}';
  return out;
}

Result<ValidationMessage> read_validation_message(std::string_view payload) {
  const Result<JsonSlice> document = parse_json(payload);
  if (!document.ok()) return document.status().with_context("not a validation message");
  if (document->kind != JsonKind::object) return refused("not a JSON object");
  const Result<std::vector<JsonMember>> members = json_members(*document);
  if (!members.ok()) return members.status().with_context("not a validation message");

  constexpr std::uint64_t kMax32 = std::numeric_limits<std::uint32_t>::max();
  constexpr std::uint64_t kMax64 = std::numeric_limits<std::uint64_t>::max();
  const auto version = find_number(*members, "v", kMax64);
  if (!version) return refused("\"v\" is missing or not a number");
  if (*version != kVersion) return refused("this host does not know its version \"v\"");
  std::optional<std::string> store = find_string(*members, "store");
  if (!store || store->empty()) return refused("\"store\" is missing or not a text");
  const auto tx = find_string(*members, "tx");
  std::optional<Token> token = tx ? token_from_text(*tx) : std::nullopt;
  if (!token) return refused("\"tx\" is missing or not a transaction");
  const auto partition = find_number(*members, "partition", kMax32);
  if (!partition) return refused("\"partition\" is missing or not a partition");
  const auto delivery = find_number(*members, "delivery", kMax64);
  if (!delivery || *delivery == 0) return refused("\"delivery\" is missing or not a delivery");
  const auto events = find_number(*members, "events", kMax32);
  if (!events) return refused("\"events\" is missing or not a number of events");

  ValidationMessage message;
  message.store = *std::move(store);
  message.token = *std::move(token);
  message.delivery.partition.value = static_cast<std::uint32_t>(*partition);
  message.delivery.number.value = *delivery;
  message.events = static_cast<std::uint32_t>(*events);
  return message;
}

}  // namespace vouch::format
