// Source: where a replay takes its events from, a page at a time: the feed, or one stream. A page
// that was given is given again until `advance` says that it is done with. One thread.
#pragma once

#include <cstdint>
#include <memory>

#include "replay/replay.h"

namespace vouch::replay {

class Source {
 public:
  virtual ~Source() = default;

  /// Gives the events of the next page that match, at most `limit`; there may be none although
  /// there are more behind.
  virtual Status page(std::uint32_t limit, EventSink& sink) = 0;
  /// The page that was given last is done with.
  virtual void advance() = 0;
  /// Nothing is left. Pre: `advance` was called after the last `page`.
  [[nodiscard]] virtual bool ended() const = 0;
  /// Writes down where to go on.
  virtual void place(ReplayProgress& progress) const = 0;
  [[nodiscard]] virtual Cursor until() const = 0;
};

/// Errors: invalid_argument for a cursor that this store never gave out, unavailable.
Result<std::unique_ptr<Source>> source_of(Reader& reader, const ReplayRequest& request);

}  // namespace vouch::replay
