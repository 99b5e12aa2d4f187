#include "outbound_load.h"

#include <algorithm>

#include "format/cloud_event.h"

namespace vouch::saga {
namespace {

bool contains(const std::vector<std::string>& list, std::string_view text) {
  return list.empty() || std::find(list.begin(), list.end(), text) != list.end();
}

std::unique_ptr<Envelope> structured(const EventView& event, const std::string& store) {
  static constexpr Header kMediaType{"content-type", format::kCloudEventMediaType};
  auto envelope = std::make_unique<Envelope>();
  envelope->payload.reserve(event.data.size() + event.metadata.size() + 512);
  format::append_cloud_event(envelope->payload, event, store);
  envelope->headers.push_back(kMediaType);
  return envelope;
}

std::unique_ptr<Envelope> binary(const EventView& event, const std::string& store) {
  auto envelope = std::make_unique<Envelope>();
  envelope->payload = event.data;
  envelope->attributes = format::cloud_event_attributes(event, store);
  for (const auto& [name, value] : envelope->attributes) envelope->headers.push_back({name, value});
  return envelope;
}

}  // namespace

bool takes(const Route& route, std::string_view stream, std::string_view type) {
  return contains(route.categories, StreamName::category_of(stream)) && contains(route.types, type);
}

OutboundEvent OutboundEvent::of(const EventView& event, const Route& route,
                                const std::string& store, std::size_t item) {
  return {item,
          std::string(event.stream),
          event.version,
          event.id,
          route.topic.expand(event),
          route.binary ? binary(event, store) : structured(event, store)};
}

Message OutboundEvent::message() const {
  return {topic, std::nullopt, stream, envelope->headers, envelope->payload};
}

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
  if (!takes(*route_, event.stream, event.type)) return;
  const std::size_t item = items_.size() - 1;
  if (blocked_(event.stream, event.version)) {
    behind_.push_back({item, std::string(event.stream), event.version, event.id});
    return;
  }
  bytes_ += event.data.size() + event.metadata.size();
  events_.push_back(OutboundEvent::of(event, *route_, store_, item));
}

}  // namespace vouch::saga
