// follow: the feed of all events, one a line, across restarts of the server.
#include <algorithm>
#include <thread>

#include "api_client.h"
#include "commands.h"
#include "exit_codes.h"
#include "feed_line.h"
#include "terminal.h"

namespace vouch::app {
namespace {

using std::chrono::milliseconds;

/// The server says something every 15 s by default; three times that is a dead connection.
constexpr milliseconds kSilence{45'000};
constexpr milliseconds kFirstRetry{100};
constexpr milliseconds kMaxRetry{5'000};

/// Prints the events of the feed and keeps the cursor to go on from.
class FeedPrinter final : public LineSink {
 public:
  FeedPrinter(std::string after, std::uint64_t count) : after_(std::move(after)), left_(count) {}

  bool line(std::string_view line) override {
    heard_ = true;
    if (text_member(line, "kind") == "event") {
      output_ok_ = put_line(line);
      if (!output_ok_) return false;
      done_ = left_ > 0 && --left_ == 0;
    }
    if (std::string cursor = text_member(line, "cursor"); !cursor.empty()) after_ = cursor;
    return !done_;
  }

  /// Whether anything came since this was asked last.
  bool heard() { return std::exchange(heard_, false); }
  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] bool output_ok() const { return output_ok_; }
  [[nodiscard]] const std::string& after() const { return after_; }

 private:
  std::string after_;
  std::uint64_t left_;
  bool heard_ = false;
  bool done_ = false;
  bool output_ok_ = true;
};

ApiRequest feed_request(const FollowCommand& command, const std::string& after) {
  ApiRequest request;
  request.path = "/v1/feed";
  char separator = '?';
  const auto add = [&](const char* name, const std::string& value) {
    if (value.empty()) return;
    request.path += separator;
    request.path += std::string(name) + "=" + url_escape(value);
    separator = '&';
  };
  add("after", after);
  add("category", command.category);
  add("type", command.type);
  add("stream", command.stream);
  request.headers.emplace_back("Accept", "application/x-ndjson");
  return request;
}

bool worth_repeating(const ApiAnswer& answer) {
  return answer.status == 200 || answer.status == 429 || answer.status >= 500;
}

}  // namespace

int run(const FollowCommand& command) {
  auto client = ApiClient::make(command.url);
  if (!client.ok()) {
    say_error(client.status().message());
    return kExitUsage;
  }
  FeedPrinter printer(command.after, command.count);
  milliseconds retry = kFirstRetry;
  bool connected_before = false;
  while (true) {
    const auto answer = client->lines(feed_request(command, printer.after()), printer, kSilence);
    if (!printer.output_ok()) return kExitOutput;
    if (printer.done()) return kExitOk;
    if (answer.ok() && !worth_repeating(*answer)) return report_failure(*answer);
    const bool heard = printer.heard();
    connected_before = connected_before || heard;
    // A server that was never there is more likely a wrong URL than a restart.
    if (!answer.ok() && !connected_before) return report_failure(answer.status());
    if (heard) retry = kFirstRetry;
    say("connection ended; going on from " +
        (printer.after().empty() ? std::string("now") : printer.after()));
    std::this_thread::sleep_for(retry);
    retry = std::min(retry * 2, kMaxRetry);
  }
}

}  // namespace vouch::app
