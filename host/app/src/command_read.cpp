// read: the events of a stream, one a line, as the server streams them: a stream of any length
// costs neither side much memory.
#include "api_client.h"
#include "commands.h"
#include "exit_codes.h"
#include "feed_line.h"
#include "terminal.h"

namespace vouch::app {
namespace {

constexpr std::chrono::seconds kSilence{90};

/// Prints events until enough are printed, and remembers the last one's version.
class Printer final : public LineSink {
 public:
  /// `limit` 0: all.
  explicit Printer(std::uint64_t limit) : left_(limit) {}

  bool line(std::string_view line) override {
    const auto version = number_member(line, "version");
    if (!version) return false;  // the rest of a line that was cut short
    last_version_ = version;
    output_ok_ = put_line(line);
    enough_ = left_ > 0 && --left_ == 0;
    return output_ok_ && !enough_;
  }
  [[nodiscard]] std::optional<std::uint64_t> last_version() const { return last_version_; }
  [[nodiscard]] bool enough() const { return enough_; }
  [[nodiscard]] bool output_ok() const { return output_ok_; }

 private:
  std::uint64_t left_;
  std::optional<std::uint64_t> last_version_;
  bool enough_ = false;
  bool output_ok_ = true;
};

ApiRequest read_request(const ReadCommand& command) {
  ApiRequest request;
  request.path = "/v1/streams/" + url_escape(command.stream) +
                 "/events?direction=" + (command.backward ? "backward" : "forward");
  if (command.from != 0) request.path += "&from=" + std::to_string(command.from);
  request.headers.emplace_back("Accept", "application/x-ndjson");
  return request;
}

/// The version in an ETag ("7"), or 0.
std::uint64_t version_of(const std::string& etag) {
  std::uint64_t version = 0;
  for (const char c : etag) {
    if (c >= '0' && c <= '9') version = version * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return version;
}

/// Whether the answer was read to its end: a connection that breaks looks like one.
bool complete(const ReadCommand& command, const Printer& printer, std::uint64_t head) {
  if (printer.enough()) return true;
  if (!printer.last_version()) return !command.backward && command.from > head;
  return command.backward ? *printer.last_version() <= 1 : *printer.last_version() >= head;
}

}  // namespace

int run(const ReadCommand& command) {
  auto client = ApiClient::make(command.url);
  if (!client.ok()) {
    say_error(client.status().message());
    return kExitUsage;
  }
  Printer printer(command.limit);
  const auto answer = client->lines(read_request(command), printer, kSilence);
  if (!answer.ok()) return report_failure(answer.status());
  if (answer->status != 200) return report_failure(*answer);
  if (!printer.output_ok()) return kExitOutput;
  if (complete(command, printer, version_of(answer->etag))) return kExitOk;
  return report_failure(Status(StatusCode::unavailable, "the answer was cut short"));
}

}  // namespace vouch::app
