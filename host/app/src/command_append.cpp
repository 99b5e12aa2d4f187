// append: one event to one stream; prints the server's answer.
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>

#include "api_client.h"
#include "commands.h"
#include "exit_codes.h"
#include "json_object.h"
#include "terminal.h"

namespace vouch::app {
namespace {

/// The text that --data stands for; nothing when a file can't be read (said already).
std::optional<std::string> read_data(const std::string& data) {
  if (data == "-") {
    return std::string(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
  }
  if (data.empty() || data.front() != '@') return data;
  std::ifstream file(data.substr(1), std::ios::binary);
  if (!file) {
    say_error("can't read " + data.substr(1));
    return std::nullopt;
  }
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

/// Adds the header for --expected; false when it is none of the forms it may have.
bool add_expected(ApiRequest& request, const std::string& expected) {
  if (expected.empty()) return true;
  if (expected == "none") {
    request.headers.emplace_back("If-None-Match", "*");
    return true;
  }
  if (expected == "exists") {
    request.headers.emplace_back("If-Match", "*");
    return true;
  }
  for (const char c : expected) {
    if (c < '0' || c > '9') return false;
  }
  request.headers.emplace_back("If-Match", "\"" + expected + "\"");
  return true;
}

}  // namespace

int run(const AppendCommand& command) {
  ApiRequest request;
  request.method = "POST";
  request.path = "/v1/streams/" + url_escape(command.stream) + "/events";
  if (!command.ack.empty()) request.path += "?ack=" + command.ack;
  request.headers.emplace_back("Content-Type", "application/json");
  if (!command.key.empty()) request.headers.emplace_back("Idempotency-Key", command.key);
  if (!add_expected(request, command.expected)) {
    say_error("--expected takes a version, none or exists, not " + command.expected);
    return kExitUsage;
  }

  const std::optional<std::string> data = read_data(command.data);
  if (!data) return kExitNoInput;
  const auto parsed = format::parse_json(*data);
  if (!parsed.ok()) {
    say_error("--data is not JSON: " + parsed.status().message());
    return kExitData;
  }
  JsonObject event;
  event.text("type", command.type).raw("data", parsed->text);
  if (!command.id.empty()) event.text("id", command.id);
  if (!command.metadata.empty()) {
    const auto metadata = format::parse_json(command.metadata);
    if (!metadata.ok() || metadata->kind != format::JsonKind::object) {
      say_error("--metadata is not a JSON object");
      return kExitData;
    }
    event.raw("metadata", metadata->text);
  }
  request.body = event.str();

  auto client = ApiClient::make(command.url);
  if (!client.ok()) {
    say_error(client.status().message());
    return kExitUsage;
  }
  const auto answer = client->request(request);
  if (!answer.ok()) return report_failure(answer.status());
  if (answer->status >= 300) return report_failure(*answer);
  std::string_view body = answer->body;
  while (!body.empty() && body.back() == '\n') body.remove_suffix(1);
  return put_line(body) ? kExitOk : kExitOutput;
}

}  // namespace vouch::app
