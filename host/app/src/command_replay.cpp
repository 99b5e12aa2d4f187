// replay: publishes history again, across restarts of the server.
#include <algorithm>
#include <chrono>
#include <thread>

#include "api_client.h"
#include "commands.h"
#include "exit_codes.h"
#include "feed_line.h"
#include "terminal.h"

namespace vouch::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// The server says something every second.
constexpr milliseconds kSilence{30'000};
constexpr milliseconds kFirstRetry{200};
constexpr milliseconds kMaxRetry{5'000};
constexpr std::chrono::seconds kBetweenWords{5};

/// Follows the lines of a replay: what it has done, over all connections, and where to go on.
class ReplayWatch final : public LineSink {
 public:
  explicit ReplayWatch(const ReplayCommand& command)
      : after_(command.after), until_(command.until), from_(command.from) {}

  bool line(std::string_view line) override {
    heard_ = true;
    const std::string kind = text_member(line, "kind");
    if (std::string until = text_member(line, "until"); !until.empty()) until_ = std::move(until);
    if (kind == "begin") return true;
    if (std::string after = text_member(line, "after"); !after.empty()) after_ = std::move(after);
    if (const auto from = number_member(line, "from")) from_ = *from;
    for (std::size_t i = 0; i < kCounts; ++i) now_[i] = number_member(line, kNames[i]).value_or(0);
    done_ = kind == "done";
    tell(kind, text_member(line, "problem"), text_member(line, "reached"));
    return !done_;
  }

  /// The connection is gone: its counts stay.
  bool end_connection() {
    for (std::size_t i = 0; i < kCounts; ++i) before_[i] += std::exchange(now_[i], 0);
    return std::exchange(heard_, false);
  }

  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] const std::string& after() const { return after_; }
  [[nodiscard]] const std::string& until() const { return until_; }
  [[nodiscard]] std::uint64_t from() const { return from_; }

  [[nodiscard]] std::string result() const {
    std::string text = "{";
    for (std::size_t i = 0; i < kCounts; ++i) {
      text += (i == 0 ? "\"" : ",\"") + std::string(kNames[i]) +
              "\":" + std::to_string(before_[i] + now_[i]);
    }
    return text + "}";
  }

  /// How to go on if this command is ended.
  [[nodiscard]] std::string resume() const {
    if (from_ > 0) return "--from " + std::to_string(from_);
    return "--after " + after_ + (until_.empty() ? "" : " --until " + until_);
  }

 private:
  static constexpr std::size_t kCounts = 4;
  static constexpr const char* kNames[kCounts] = {"events", "published", "held_back", "refused"};

  /// Now and then, and whenever something is wrong for the first time.
  void tell(const std::string& kind, const std::string& problem, const std::string& reached) {
    const auto now = steady_clock::now();
    const bool news = problem != told_problem_ || kind != told_kind_;
    if (kind == "done" || (!news && now < next_words_)) return;
    told_problem_ = problem;
    told_kind_ = kind;
    next_words_ = now + kBetweenWords;
    if (!problem.empty()) {
      say("held up, trying again: " + problem);
    } else if (kind == "waiting") {
      say("waiting until what was appended before is delivered for the first time");
    } else {
      say(std::to_string(before_[0] + now_[0]) + " events" +
          (reached.empty() ? "" : ", up to those of " + reached) +
          "; to go on from here: " + resume());
    }
  }

  std::string after_;
  std::string until_;
  std::uint64_t from_;
  std::uint64_t before_[kCounts] = {};
  std::uint64_t now_[kCounts] = {};
  bool heard_ = false;
  bool done_ = false;
  std::string told_problem_;
  std::string told_kind_;
  steady_clock::time_point next_words_{};
};

class Body {
 public:
  void add(std::string_view name, const std::string& value) {
    if (value.empty()) return;
    begin(name);
    format::append_json_string(text_, value);
  }
  void add_raw(std::string_view name, const std::string& value) {
    begin(name);
    text_ += value;
  }
  [[nodiscard]] std::string text() const { return text_ + "}"; }

 private:
  void begin(std::string_view name) {
    if (text_.size() > 1) text_ += ',';
    text_ += '"' + std::string(name) + "\":";
  }
  std::string text_ = "{";
};

ApiRequest replay_request(const ReplayCommand& command, const ReplayWatch& watch) {
  Body body;
  if (command.stream.empty()) {
    body.add("after", watch.after());
    body.add("until", watch.until());
  } else {
    body.add("stream", command.stream);
    if (watch.from() > 0) body.add_raw("from", std::to_string(watch.from()));
  }
  body.add("category", command.category);
  body.add("type", command.type);
  body.add("since", command.since);
  body.add("before", command.before);
  body.add("route", command.route);
  if (command.rate) body.add_raw("rate", std::to_string(*command.rate));
  if (command.dry_run) body.add_raw("dry_run", "true");
  ApiRequest request;
  request.method = "POST";
  request.path = "/v1/delivery:replay";
  request.headers.emplace_back("Content-Type", "application/json");
  request.headers.emplace_back("Accept", "application/x-ndjson");
  request.body = body.text();
  return request;
}

/// 409: this host is still busy with the connection that broke.
bool worth_repeating(const ApiAnswer& answer, bool connected_before) {
  return answer.status == 200 ||
         (connected_before &&
          (answer.status == 409 || answer.status == 429 || answer.status >= 500));
}

}  // namespace

int run(const ReplayCommand& command) {
  auto client = ApiClient::make(command.url);
  if (!client.ok()) {
    say_error(client.status().message());
    return kExitUsage;
  }
  ReplayWatch watch(command);
  milliseconds retry = kFirstRetry;
  bool connected_before = false;
  while (true) {
    const auto answer = client->lines(replay_request(command, watch), watch, kSilence);
    if (watch.done()) return put_line(watch.result()) ? kExitOk : kExitOutput;
    if (answer.ok() && !worth_repeating(*answer, connected_before)) return report_failure(*answer);
    const bool heard = watch.end_connection();
    connected_before = connected_before || heard;
    if (!answer.ok() && !connected_before) return report_failure(answer.status());
    if (heard) retry = kFirstRetry;
    say("connection ended; going on with " + watch.resume());
    std::this_thread::sleep_for(retry);
    retry = std::min(retry * 2, kMaxRetry);
  }
}

}  // namespace vouch::app
