#include "follower.h"

#include "http_client.h"
#include "json_object_view.h"
#include "run_clock.h"

namespace vouch::prove {
namespace {

/// Hosts say something every second (http.heartbeat), unless they stand still.
constexpr std::chrono::milliseconds kSilence{5'000};
constexpr Seconds kBetweenTries = 0.05;

EventSeen event_of(const JsonObjectView& event) {
  return {event.text("id"), event.text("stream"), event.number("version").value_or(0),
          event.object("data").text("mark")};
}

}  // namespace

EventSeen event_of(std::string_view json) {
  return event_of(JsonObjectView(json));
}

Follower::Follower(const HostAddresses& hosts, std::string name, std::uint64_t seed)
    : hosts_(hosts), random_(seed), followed_{std::move(name), {}} {}

Follower::~Follower() {
  finish();
}

void Follower::start() {
  thread_ = std::thread([this] { work(); });
}

void Follower::finish() {
  over_ = true;
  if (thread_.joinable()) thread_.join();
}

void Follower::work() {
  while (!over_) {
    const std::uint16_t port = hosts_.port(random_.below(hosts_.count()));
    if (port != 0) {
      HttpClient client(port, kSilence);
      // Now and then it leaves by itself for another host.
      on_this_connection_ = 0;
      most_on_a_connection_ = 500 + random_.below(20'000);
      const HttpRequest request{
          "GET", "/v1/feed?after=" + cursor_, {{"Accept", "application/x-ndjson"}}, {}};
      ++connections_;
      client.lines(request, [this](std::string_view line) { return take(line); });
    }
    if (!over_) pause_for(kBetweenTries);
  }
}

bool Follower::take(std::string_view line) {
  const JsonObjectView entry(line);
  const std::string cursor = entry.text("cursor");
  if (!entry.valid() || cursor.empty()) return false;
  cursor_ = cursor;
  if (entry.text("kind") == "event") {
    followed_.seen.push_back(event_of(entry.object("event")));
    ++count_;
    ++on_this_connection_;
  }
  return !over_ && on_this_connection_ < most_on_a_connection_;
}

}  // namespace vouch::prove
