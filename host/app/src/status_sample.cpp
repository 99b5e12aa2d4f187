#include "status_sample.h"

#include <cstdlib>
#include <string_view>

#include "format/json_text.h"

namespace vouch::app {
namespace {

using format::JsonKind;
using format::JsonSlice;

/// The parts of an answer; what is missing, or of another kind, is empty or zero.
class Json {
 public:
  explicit Json(JsonSlice slice) : slice_(slice) {}
  static Json parse(std::string_view text) {
    const auto document = format::parse_json(text);
    return Json(document.ok() ? *document : JsonSlice{});
  }

  [[nodiscard]] Json operator[](std::string_view name) const {
    for (const auto& [key, value] : members()) {
      if (key == name) return Json(value);
    }
    return Json({});
  }
  [[nodiscard]] std::vector<format::JsonMember> members() const {
    if (slice_.kind != JsonKind::object) return {};
    auto members = format::json_members(slice_);
    return members.ok() ? *std::move(members) : std::vector<format::JsonMember>();
  }
  [[nodiscard]] std::vector<Json> elements() const {
    std::vector<Json> all;
    if (slice_.kind != JsonKind::array) return all;
    for (const JsonSlice& element : format::json_elements(slice_)) all.emplace_back(element);
    return all;
  }
  [[nodiscard]] std::string text() const {
    return slice_.kind == JsonKind::string ? format::json_string(slice_) : "";
  }
  [[nodiscard]] bool is_true() const { return slice_.text == "true"; }
  [[nodiscard]] std::uint64_t count() const {
    return number() ? format::json_unsigned(slice_).value_or(0) : 0;
  }
  [[nodiscard]] std::optional<double> number() const {
    if (slice_.kind != JsonKind::number) return std::nullopt;
    return std::strtod(std::string(slice_.text).c_str(), nullptr);
  }

 private:
  JsonSlice slice_;
};

BacklogStatus backlog(const Json& counts) {
  return {counts["undelivered"].count(), counts["oldest_undelivered_seconds"].number(),
          counts["redelivered"].count(), counts["phantoms"].count(), counts["recovered"].count()};
}

void read_info(const std::string& body, StatusSample& sample) {
  const Json info = Json::parse(body);
  sample.store = info["store"].text();
  sample.version = info["version"].text();
  sample.storage_plugin = info["storage"]["plugin"].text();
  for (const auto& [name, broker] : info["brokers"].members()) {
    sample.brokers.emplace_back(name, Json(broker)["plugin"].text());
  }
}

void read_delivery(const std::string& body, StatusSample& sample) {
  const Json report = Json::parse(body);
  sample.total = backlog(report["total"]);
  for (const Json& one : report["partitions"].elements()) {
    sample.partitions.push_back(
        {one["partition"].count(), one["owner"].text(), backlog(one), one["problem"].text()});
  }
  for (const Json& one : report["hosts"].elements()) {
    sample.hosts.push_back({one["id"].text(), one["name"].text(), one["self"].is_true(),
                            one["here"].is_true(), one["heard_of_seconds_ago"].number().value_or(0),
                            one["started"].text(), one["partitions"].elements().size()});
  }
  for (const Json& one : report["routes"].elements()) {
    sample.routes.push_back({one["route"].text(), one["delivered"].count(),
                             one["dead_letters"].count(), one["oldest_waiting_seconds"].number(),
                             one["problem"].text()});
  }
}

/// Lines such as "[+]storage ok", "[-]broker main failed: reason", "[!]route main: words".
void read_checks(std::string_view body, StatusSample& sample) {
  while (!body.empty()) {
    std::string_view line = body.substr(0, body.find('\n'));
    body.remove_prefix(std::min(body.size(), line.size() + 1));
    if (line.size() < 3 || line[0] != '[' || line[2] != ']') continue;
    const char mark = line[1];
    line.remove_prefix(3);
    const std::string_view end = mark == '+' ? " ok" : mark == '-' ? " failed" : ": ";
    const std::size_t at = line.find(end);
    CheckStatus check{std::string(line.substr(0, at)), mark != '-', mark == '!', ""};
    if (at != std::string_view::npos) check.detail = line.substr(at + end.size());
    if (check.detail.starts_with(": ")) check.detail.erase(0, 2);
    sample.checks.push_back(std::move(check));
  }
}

/// The value of a metric without labels.
double metric(std::string_view text, std::string_view name) {
  const std::string wanted = "\n" + std::string(name) + " ";
  const std::size_t at = text.find(wanted);
  if (at == std::string_view::npos) return 0;
  return std::strtod(std::string(text.substr(at + wanted.size(), 40)).c_str(), nullptr);
}

}  // namespace

Result<StatusSample> take_status(ApiClient& client) {
  StatusSample sample;
  const auto ask = [&](const char* path) { return client.request({"GET", path, {}, {}}); };
  const auto info = ask("/v1/info");
  if (!info.ok()) return info.status();
  const auto ready = ask("/readyz?verbose");
  if (!ready.ok()) return ready.status();
  const auto delivery = ask("/v1/delivery");
  if (!delivery.ok()) return delivery.status();
  const auto metrics = ask("/metrics");
  if (!metrics.ok()) return metrics.status();

  sample.taken = std::chrono::steady_clock::now();
  if (info->status != 200) {
    return Status(StatusCode::unavailable, "the server answers /v1/info with " +
                                               std::to_string(info->status) +
                                               "; is it a Vouch server?");
  }
  read_info(info->body, sample);
  sample.ready = ready->status == 200;
  read_checks(ready->body, sample);
  if (delivery->status == 200) {
    read_delivery(delivery->body, sample);
  } else {
    sample.delivery_problem = Json::parse(delivery->body)["detail"].text();
    if (sample.delivery_problem.empty()) {
      sample.delivery_problem = "status " + std::to_string(delivery->status);
    }
  }
  sample.appended = metric(metrics->body, "vouch_append_events_total");
  sample.conflicts = metric(metrics->body, "vouch_append_conflicts_total");
  sample.failures = metric(metrics->body, "vouch_append_failures_total");
  sample.delivered = metric(metrics->body, "vouch_delivery_events_total");
  sample.followers = metric(metrics->body, "vouch_followers");
  return sample;
}

}  // namespace vouch::app
