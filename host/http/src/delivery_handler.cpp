// GET /v1/delivery
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

#include "accept.h"
#include "format/json_text.h"
#include "format/text_codec.h"
#include "handlers.h"
#include "problem.h"

namespace vouch::http {
namespace {

std::string seconds(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", value);
  return text;
}

/// Seconds, or null.
void append_age(std::string& out, const std::optional<Timestamp>& since, Timestamp now) {
  if (!since) {
    out += "null";
    return;
  }
  const std::int64_t micros = std::max<std::int64_t>(0, now.micros - since->micros);
  out += seconds(static_cast<double>(micros) / 1e6);
}

/// What partitions and their total have in common.
struct Counts {
  std::uint64_t undelivered = 0;
  std::optional<Timestamp> oldest;
  std::uint64_t delivered = 0;
  std::uint64_t redelivered = 0;
  std::uint64_t phantoms = 0;
  std::uint64_t recovered = 0;

  void add(const saga::PartitionReport& report) {
    undelivered += report.undelivered;
    delivered += report.delivered;
    redelivered += report.redelivered;
    phantoms += report.phantoms;
    recovered += report.recovered;
    if (report.oldest) oldest = std::min(oldest.value_or(*report.oldest), *report.oldest);
  }

  void append(std::string& out, Timestamp now) const {
    out += R"("undelivered":)" + std::to_string(undelivered);
    out += R"(,"oldest_undelivered_seconds":)";
    append_age(out, oldest, now);
    out += R"(,"delivered":)" + std::to_string(delivered);
    out += R"(,"redelivered":)" + std::to_string(redelivered);
    out += R"(,"phantoms":)" + std::to_string(phantoms);
    out += R"(,"recovered":)" + std::to_string(recovered);
  }
};

/// The id of the host that delivers the partition, or null.
void append_owner(std::string& out, const std::vector<saga::HostReport>& hosts,
                  Partition partition) {
  for (const saga::HostReport& host : hosts) {
    if (std::ranges::find(host.owned, partition) == host.owned.end()) continue;
    return format::append_json_string(out, host.id);
  }
  out += "null";
}

std::string hosts_json(const std::vector<saga::HostReport>& hosts) {
  std::string out;
  for (const saga::HostReport& host : hosts) {
    if (!out.empty()) out += ',';
    out += R"({"id":)";
    format::append_json_string(out, host.id);
    out += R"(,"name":)";
    format::append_json_string(out, host.name);
    out += host.self ? R"(,"self":true)" : R"(,"self":false)";
    out += host.here ? R"(,"here":true)" : R"(,"here":false)";
    out += R"(,"heard_of_seconds_ago":)" + seconds(std::chrono::duration<double>(host.age).count());
    out += R"(,"started":")" + format::time_text(host.started) + R"(","partitions":[)";
    bool first = true;
    for (const Partition partition : host.owned) {
      if (!std::exchange(first, false)) out += ',';
      out += std::to_string(partition.value);
    }
    out += "]}";
  }
  return out;
}

std::string routes_json(const std::vector<saga::RouteReport>& routes, Timestamp now) {
  std::string out;
  for (const saga::RouteReport& route : routes) {
    if (!out.empty()) out += ',';
    out += R"({"route":)";
    format::append_json_string(out, route.name);
    out += R"(,"broker":)";
    format::append_json_string(out, route.broker);
    out += R"(,"topic":)";
    format::append_json_string(out, route.topic);
    out += R"(,"delivered":)" + std::to_string(route.delivered);
    out += R"(,"redelivered":)" + std::to_string(route.redelivered);
    out += R"(,"dead_letters":)" + std::to_string(route.dead_letters);
    out += R"(,"oldest_waiting_seconds":)";
    append_age(out, route.oldest_waiting, now);
    if (!route.problem.empty()) {
      out += R"(,"problem":)";
      format::append_json_string(out, route.problem);
    }
    out += '}';
  }
  return out;
}

}  // namespace

Response read_delivery(const Request& request, Context& context) {
  choose_media_type(request, std::span(&kJson, 1));
  const auto report = context.backends.saga.report();
  if (!report.ok()) return to_response(storage_problem(report.status(), "asking for the backlog"));
  const std::vector<saga::HostReport> hosts = context.backends.saga.host_reports();
  const Timestamp now = context.services.clock().now();
  Counts total;
  std::uint64_t owned = 0;
  std::string partitions;
  for (const saga::PartitionReport& partition : *report) {
    total.add(partition);
    owned += partition.owned ? 1U : 0U;
    Counts counts;
    counts.add(partition);
    if (!partitions.empty()) partitions += ',';
    partitions += R"({"partition":)" + std::to_string(partition.partition.value);
    partitions += partition.owned ? R"(,"owned":true,"owner":)" : R"(,"owned":false,"owner":)";
    append_owner(partitions, hosts, partition.partition);
    partitions += ',';
    counts.append(partitions, now);
    if (!partition.problem.empty()) {
      partitions += R"(,"problem":)";
      format::append_json_string(partitions, partition.problem);
    }
    partitions += '}';
  }
  std::string body = R"({"total":{"owned":)" + std::to_string(owned) + ',';
  total.append(body, now);
  body += R"(},"routes":[)" + routes_json(context.backends.saga.route_reports(), now);
  body += R"(],"hosts":[)" + hosts_json(hosts);
  body += R"(],"partitions":[)" + partitions + "]}";
  return answer(200, std::string(kJson), std::move(body));
}

}  // namespace vouch::http
