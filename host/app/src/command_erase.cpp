// erase: takes the contents out of a stream's events, for ever; prints the server's answer.
#include "api_client.h"
#include "commands.h"
#include "exit_codes.h"
#include "json_object.h"
#include "terminal.h"

namespace vouch::app {

int run(const EraseCommand& command) {
  JsonObject wish;
  wish.boolean("confirm", command.yes).text("reason", command.reason);
  if (command.from > 0) wish.number("from", command.from);
  if (command.to > 0) wish.number("to", command.to);
  ApiRequest request;
  request.method = "POST";
  request.path = "/v1/streams/" + url_escape(command.stream) + ":erase";
  request.headers.emplace_back("Content-Type", "application/json");
  request.body = wish.str();

  auto client = ApiClient::make(command.url);
  if (!client.ok()) {
    say_error(client.status().message());
    return kExitUsage;
  }
  const auto answer = client->request(request);
  if (!answer.ok()) {
    const int code = report_failure(answer.status());
    say("whether it was done is not known; the same command again is safe");
    return code;
  }
  if (answer->status >= 300) {
    const int code = report_failure(*answer);
    if (!command.yes && answer->status == 422) say("nothing was erased; --yes does it");
    return code;
  }
  std::string_view body = answer->body;
  while (!body.empty() && body.back() == '\n') body.remove_suffix(1);
  return put_line(body) ? kExitOk : kExitOutput;
}

}  // namespace vouch::app
