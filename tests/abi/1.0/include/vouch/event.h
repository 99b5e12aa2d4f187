// Events on their way into a store (NewEvent) and out of it (EventView, Event). Payload, metadata
// and content type are bytes to a storage plugin: it keeps them exactly as they came.
#pragma once

#include <string>
#include <string_view>

#include "vouch/types.h"

namespace vouch {

/// An event that is to be appended. `metadata` is the text of a JSON object, or empty.
struct NewEvent {
  EventId id;
  std::string type;
  Timestamp time;
  std::string content_type;
  std::string data;
  std::string metadata;
};

/// A stored event, lent for the duration of one call of a sink. Copy what must outlive it.
struct EventView {
  EventId id;
  std::string_view stream;
  Version version;
  std::string_view type;
  Timestamp time;
  std::string_view content_type;
  std::string_view data;
  std::string_view metadata;
};

/// A stored event that owns its bytes.
struct Event {
  EventId id;
  StreamName stream;
  Version version;
  std::string type;
  Timestamp time;
  std::string content_type;
  std::string data;
  std::string metadata;

  Event() = default;
  explicit Event(const EventView& view)
      : id(view.id),
        stream(StreamName::unchecked(std::string(view.stream))),
        version(view.version),
        type(view.type),
        time(view.time),
        content_type(view.content_type),
        data(view.data),
        metadata(view.metadata) {}

  [[nodiscard]] EventView view() const {
    return {id, stream.view(), version, type, time, content_type, data, metadata};
  }
};

/// Takes events one after the other.
class EventSink {
 public:
  /// Returns false to end the read early; the read then returns ok.
  /// Threads: [the caller's thread of the read]. Must not call back into the storage.
  virtual bool event(const EventView& event) = 0;

 protected:
  ~EventSink() = default;
};

}  // namespace vouch
