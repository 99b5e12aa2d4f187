// Routes, and events on their way to one: what both the saga and a replay publish. Plain values,
// any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "format/topic_template.h"
#include "vouch/broker.h"
#include "vouch/event.h"

namespace vouch::publish {

/// Where events go. An event goes to every route that it matches.
struct Route {
  std::string name;  ///< unique among the routes; dead letters are kept under it
  Broker* broker = nullptr;
  std::string broker_name;  ///< as in the configuration
  format::TopicTemplate topic;
  std::vector<std::string> categories;  ///< empty: all
  std::vector<std::string> types;       ///< empty: all
  /// CloudEvents in binary mode: the data as it is, the attributes as headers. Pre: the broker has
  /// headers.
  bool binary = false;
};

/// Whether an event of that stream and type takes the route.
bool takes(const Route& route, std::string_view stream, std::string_view type);

/// An event in the format of a route.
struct Envelope {
  std::string payload;
  std::vector<std::pair<std::string, std::string>> attributes;
  std::vector<Header> headers;  ///< views of `attributes`
};

/// An event on its way to the route's topic.
struct OutboundEvent {
  std::size_t item = 0;  ///< what it belongs to, in its owner's list
  std::string stream;    ///< the message's key
  Version version;
  EventId id;
  std::string topic;
  std::unique_ptr<Envelope> envelope;

  /// `redelivered`: it is published again on purpose, and the envelope says so.
  static OutboundEvent of(const EventView& event, const Route& route, const std::string& store,
                          std::size_t item, bool redelivered = false);
  /// Views of this event, which must outlive the call that takes the message.
  [[nodiscard]] Message message() const;
};

}  // namespace vouch::publish
