#include "outbound_load.h"

#include <utility>

namespace vouch::saga {

OutboundLoad::OutboundLoad(const Route* route, const std::string& store,
                           const WrittenEvents& written, Limits limits,
                           std::function<bool(const Delivery&)> had,
                           std::function<bool(std::string_view, Version)> blocked)
    : route_(route),
      store_(store),
      written_(written),
      limits_(limits),
      had_(std::move(had)),
      blocked_(std::move(blocked)) {}

bool OutboundLoad::must_be_read(const Delivery& delivery) {
  if (route_ == nullptr || had_(delivery)) return false;
  auto here = written_.find(delivery);
  if (here == nullptr) return true;
  here_.emplace(delivery.id, std::move(here));
  return false;
}

bool OutboundLoad::delivery(const Delivery& delivery) {
  // Once full, everything behind waits for the next round, so that order holds.
  full_ = full_ || bytes_ >= limits_.bytes || seen_ >= limits_.events;
  if (full_) return false;
  const bool had = had_(delivery);
  items_.push_back({delivery, had, {}});
  if (route_ == nullptr || had) {
    seen_ += delivery.events;
    return false;
  }
  const auto here = here_.find(delivery.id);
  if (here == here_.end()) return true;
  for (const EventView& event : here->second->events) take(event);
  here_.erase(here);
  return false;
}

void OutboundLoad::event(const EventView& event) {
  ++read_back_;
  take(event);
}

void OutboundLoad::take(const EventView& event) {
  ++seen_;
  if (!publish::takes(*route_, event.stream, event.type)) return;
  const std::size_t item = items_.size() - 1;
  if (blocked_(event.stream, event.version)) {
    behind_.push_back({item, std::string(event.stream), event.version, event.id});
    return;
  }
  bytes_ += event.data.size() + event.metadata.size();
  events_.push_back(OutboundEvent::of(event, *route_, store_, item));
}

}  // namespace vouch::saga
