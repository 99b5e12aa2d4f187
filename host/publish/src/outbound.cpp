#include "publish/outbound.h"

#include <algorithm>

#include "format/cloud_event.h"

namespace vouch::publish {
namespace {

bool contains(const std::vector<std::string>& list, std::string_view text) {
  return list.empty() || std::find(list.begin(), list.end(), text) != list.end();
}

std::unique_ptr<Envelope> structured(const EventView& event, const std::string& store,
                                     bool redelivered) {
  static constexpr Header kMediaType{"content-type", format::kCloudEventMediaType};
  auto envelope = std::make_unique<Envelope>();
  envelope->payload.reserve(event.data.size() + event.metadata.size() + 512);
  format::append_cloud_event(envelope->payload, event, store, redelivered);
  envelope->headers.push_back(kMediaType);
  return envelope;
}

std::unique_ptr<Envelope> binary(const EventView& event, const std::string& store,
                                 bool redelivered) {
  auto envelope = std::make_unique<Envelope>();
  envelope->payload = event.data;
  envelope->attributes = format::cloud_event_attributes(event, store, redelivered);
  for (const auto& [name, value] : envelope->attributes) envelope->headers.push_back({name, value});
  return envelope;
}

}  // namespace

bool takes(const Route& route, std::string_view stream, std::string_view type) {
  return contains(route.categories, StreamName::category_of(stream)) && contains(route.types, type);
}

OutboundEvent OutboundEvent::of(const EventView& event, const Route& route,
                                const std::string& store, std::size_t item, bool redelivered) {
  return {item,
          std::string(event.stream),
          event.version,
          event.id,
          route.topic.expand(event),
          route.binary ? binary(event, store, redelivered) : structured(event, store, redelivered)};
}

Message OutboundEvent::message() const {
  return {topic, std::nullopt, stream, envelope->headers, envelope->payload};
}

}  // namespace vouch::publish
