// How events are read: the columns of every statement that gives events, and a row of them as the
// contract's view. Plain functions, any thread.
#pragma once

#include "statement.h"
#include "vouch/event.h"

namespace vouch::mysql {

/// The columns, from the first one on, that `event_view` takes.
inline constexpr const char* kEventColumns =
    "id, stream, version, type, time, content_type, data, metadata";
inline constexpr std::size_t kEventColumnCount = 8;

/// Lends the row's bytes. Throws StatusError (corrupt).
inline EventView event_view(const Rows& rows) {
  const auto id = EventId::from_bytes(rows.bytes(0));
  if (!id) throw StatusError({StatusCode::corrupt, "a stored event has an id of another length"});
  EventView view;
  view.id = *id;
  view.stream = rows.bytes(1);
  view.version = {rows.number(2)};
  view.type = rows.bytes(3);
  view.time = {rows.integer(4)};
  view.content_type = rows.bytes(5);
  view.data = rows.bytes(6);
  view.metadata = rows.bytes(7);
  return view;
}

}  // namespace vouch::mysql
