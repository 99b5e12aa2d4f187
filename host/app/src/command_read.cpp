// read: the events of a stream, one a line, page by page, so that a stream of any length costs
// neither side much memory.
#include <algorithm>
#include <limits>

#include "api_client.h"
#include "commands.h"
#include "exit_codes.h"
#include "feed_line.h"
#include "terminal.h"

namespace vouch::app {
namespace {

constexpr std::chrono::seconds kSilence{90};
constexpr std::uint64_t kPage = 500;

/// Prints events and remembers the last one's version.
class Printer final : public LineSink {
 public:
  bool line(std::string_view line) override {
    const auto version = number_member(line, "version");
    if (!version) return false;  // the rest of a line that was cut short
    last_version_ = *version;
    ++lines_;
    output_ok_ = put_line(line);
    return output_ok_;
  }
  [[nodiscard]] std::uint64_t lines() const { return lines_; }
  [[nodiscard]] std::uint64_t last_version() const { return last_version_; }
  [[nodiscard]] bool output_ok() const { return output_ok_; }

 private:
  std::uint64_t lines_ = 0;
  std::uint64_t last_version_ = 0;
  bool output_ok_ = true;
};

ApiRequest page_request(const ReadCommand& command, std::uint64_t from, std::uint64_t limit) {
  ApiRequest request;
  request.path = "/v1/streams/" + url_escape(command.stream) +
                 "/events?limit=" + std::to_string(limit) +
                 (command.backward ? "&direction=backward" : "");
  if (from != 0) request.path += "&from=" + std::to_string(from);
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

}  // namespace

int run(const ReadCommand& command) {
  auto client = ApiClient::make(command.url);
  if (!client.ok()) {
    say_error(client.status().message());
    return kExitUsage;
  }
  std::uint64_t left =
      command.limit == 0 ? std::numeric_limits<std::uint64_t>::max() : command.limit;
  std::uint64_t from = command.from;
  while (left > 0) {
    Printer printer;
    const auto answer =
        client->lines(page_request(command, from, std::min(left, kPage)), printer, kSilence);
    if (!answer.ok()) return report_failure(answer.status());
    if (answer->status != 200) return report_failure(*answer);
    if (!printer.output_ok()) return kExitOutput;
    const std::uint64_t head = version_of(answer->etag);
    if (printer.lines() == 0) {
      if (!command.backward && from > head) break;
      return report_failure(Status(StatusCode::unavailable, "the answer was cut short"));
    }
    left -= std::min(left, printer.lines());
    const bool at_end =
        command.backward ? printer.last_version() <= 1 : printer.last_version() >= head;
    if (at_end) break;
    from = command.backward ? printer.last_version() - 1 : printer.last_version() + 1;
  }
  return kExitOk;
}

}  // namespace vouch::app
