#include "store_reading.h"

#include <set>

#include "follower.h"
#include "http_client.h"
#include "json_object_view.h"

namespace vouch::prove {
namespace {

constexpr std::chrono::milliseconds kPatience{60'000};

std::optional<HttpAnswer> get(std::uint16_t port, const std::string& path) {
  HttpClient client(port, kPatience);
  return client.send({"GET", path, {}, {}});
}

}  // namespace

bool StoreReading::ready() const {
  const auto answer =
      HttpClient(port_, std::chrono::milliseconds(2'000)).send({"GET", "/readyz", {}, {}});
  return answer && answer->status == 200;
}

std::optional<std::uint64_t> StoreReading::undelivered() const {
  const auto answer = get(port_, "/v1/delivery");
  if (!answer || answer->status != 200) return std::nullopt;
  return JsonObjectView(answer->body).object("total").number("undelivered");
}

std::string StoreReading::delivery_problem() const {
  const auto answer = get(port_, "/v1/delivery");
  if (!answer || answer->status != 200) return "The host does not tell why.";
  for (const format::JsonSlice& each : JsonObjectView(answer->body).list("routes")) {
    const JsonObjectView route(each);
    const std::string problem = route.text("problem");
    if (!problem.empty()) return "Route " + route.text("route") + ": " + problem;
  }
  return {};
}

void StoreReading::describe(std::vector<std::string>& plugins,
                            std::vector<std::string>& guarantees) const {
  const auto answer = get(port_, "/v1/info");
  if (!answer || answer->status != 200) return;
  const JsonObjectView info(answer->body);
  const auto add = [&](const JsonObjectView& plugin) {
    plugins.push_back(plugin.text("plugin") + " " + plugin.text("version"));
  };
  add(info.object("storage"));
  for (const auto& [name, broker] : info.object("brokers").objects()) add(broker);
  for (const format::JsonSlice& words : info.list("guarantees")) {
    guarantees.push_back(format::json_string(words));
  }
}

Status StoreReading::read(History& history, std::size_t most) const {
  if (Status status = events("/v1/events?after=start", history.feed); !status.ok()) return status;
  if (Status status = heads(history); !status.ok()) return status;
  for (const auto& [name, version] : history.heads) {
    const std::string path = "/v1/streams/" + name + "/events";
    if (Status status = events(path, history.streams[name]); !status.ok()) return status;
  }
  transactions(history, most);
  return {};
}

Status StoreReading::events(const std::string& path, std::vector<EventSeen>& into) const {
  HttpClient client(port_, kPatience);
  const auto answer = client.lines({"GET", path, {{"Accept", "application/x-ndjson"}}, {}},
                                   [&](std::string_view line) {
                                     into.push_back(event_of(line));
                                     return true;
                                   });
  if (answer && answer->status == 200) return {};
  return {StatusCode::unavailable,
          "the store can't be read: " + path +
              (answer ? " was answered with " + std::to_string(answer->status) : " broke off")};
}

Status StoreReading::heads(History& history) const {
  std::string after;
  while (true) {
    const auto answer = get(port_, "/v1/streams?limit=500" + after);
    if (!answer || answer->status != 200) {
      return {StatusCode::unavailable, "the streams can't be listed"};
    }
    const auto streams = JsonObjectView(answer->body).list("streams");
    if (streams.empty()) return {};
    for (const format::JsonSlice& each : streams) {
      const JsonObjectView stream(each);
      history.heads[stream.text("stream")] = stream.number("version").value_or(0);
      after = "&after=" + stream.text("stream");
    }
  }
}

void StoreReading::transactions(History& history, std::size_t most) const {
  // Those that hung in the balance say most.
  std::set<std::string> wanted;
  std::set<std::string> others;
  for (const Append& append : history.appends) {
    for (const Attempt& attempt : append.attempts) {
      if (attempt.tx.empty()) continue;
      (attempt.outcome == Outcome::open ? wanted : others).insert(attempt.tx);
    }
  }
  const std::size_t step = std::max<std::size_t>(others.size() / most, 1);
  std::size_t place = 0;
  for (const std::string& tx : others) {
    if (place++ % step == 0) wanted.insert(tx);
  }
  HttpClient client(port_, kPatience);
  for (const std::string& tx : wanted) {
    const auto answer = client.send({"GET", "/v1/transactions/" + tx, {}, {}});
    if (!answer) return;
    history.transactions[tx] = JsonObjectView(answer->body).text("state");
  }
}

}  // namespace vouch::prove
