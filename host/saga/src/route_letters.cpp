#include "route_letters.h"

#include <map>
#include <string_view>
#include <utility>
#include <vector>

namespace vouch::saga {
namespace {

std::vector<DeadLetter> values_of(const std::map<std::string_view, DeadLetter>& letters) {
  std::vector<DeadLetter> values;
  for (const auto& [stream, letter] : letters) values.push_back(letter);
  return values;
}

}  // namespace

RouteLetters::RouteLetters(std::string route, const SagaOptions& options, DeadLetters& letters,
                           RouteMetrics& metrics, HostServices& services)
    : route_(std::move(route)),
      options_(options),
      letters_(letters),
      metrics_(metrics),
      services_(services) {}

/// An event that was refused for good, and those of its stream behind it, are one letter.
void RouteLetters::keep(OutboundLoad& load, const publish::PublishReport& report) {
  const std::vector<OutboundEvent>& events = load.events();
  std::map<std::string_view, DeadLetter> refused;
  std::map<std::string_view, DeadLetter> behind;
  std::vector<std::size_t> kept;  // items with events that a letter keeps
  for (std::size_t i = 0; i < events.size(); ++i) {
    const OutboundEvent& event = events[i];
    const auto letter = refused.find(event.stream);
    if (letter != refused.end()) {
      letter->second.last = event.version;
      kept.push_back(event.item);
    } else if (report.outcomes[i] == PublishOutcome::rejected && letters_.supported()) {
      refused.emplace(event.stream, refusal(event, report.refusals.at(i)));
      kept.push_back(event.item);
    } else if (report.outcomes[i] != PublishOutcome::acked) {
      std::string& problem = load.items()[event.item].problem;
      if (problem.empty()) problem = event.topic + ": " + report.problem.to_string();
    }
  }
  for (const OutboundLoad::Behind& event : load.behind()) {
    const auto [letter, added] = behind.try_emplace(event.stream, waiting(event));
    letter->second.last = event.version;
    kept.push_back(event.item);
  }
  Status written = refused.empty() ? Status() : letters_.refuse(values_of(refused));
  if (written.ok()) written = letters_.wait_behind(values_of(behind));
  if (!written.ok()) {
    for (const std::size_t item : kept) load.items()[item].problem = written.to_string();
  }
  metrics_.refused.add(static_cast<double>(refused.size()));
}

DeadLetter RouteLetters::refusal(const OutboundEvent& event, const Status& why) const {
  DeadLetter letter;
  letter.key = {route_, event.stream};
  letter.partition = partition_of(event.stream, options_.partitions);
  letter.version = event.version;
  letter.last = event.version;
  letter.event = event.id;
  letter.topic = event.topic;
  letter.reason = why.message();
  letter.since = services_.clock().now();
  letter.attempts = 1;
  return letter;
}

/// Says that an event waits. If its letter is gone, because another host published the stream
/// meanwhile, this is a letter of its own, released at once.
DeadLetter RouteLetters::waiting(const OutboundLoad::Behind& event) const {
  DeadLetter letter;
  letter.key = {route_, event.stream};
  letter.partition = partition_of(event.stream, options_.partitions);
  letter.version = event.version;
  letter.last = event.version;
  letter.released = true;
  letter.event = event.id;
  letter.reason = "waited behind an earlier event";
  letter.since = services_.clock().now();
  return letter;
}

}  // namespace vouch::saga
