// GET /v1/streams/{stream}/state
#include <memory>

#include "event_pages.h"
#include "handlers.h"
#include "parameters.h"
#include "problem.h"
#include "snapshot_json.h"
#include "stream_head.h"

namespace vouch::http {
namespace {

/// The newest snapshot; nothing as well when it can't be had, since loading never needs one.
std::optional<Snapshot> newest_snapshot(const StreamName& stream, Context& context) {
  if (context.backends.snapshots == nullptr) return std::nullopt;
  auto snapshot = context.backends.snapshots->newest(stream);
  if (snapshot.ok()) return *std::move(snapshot);
  context.services.logger().warning(
      "can't load a snapshot, giving all events",
      {{"stream", stream.view()}, {"reason", snapshot.status().message()}});
  return std::nullopt;
}

}  // namespace

Response read_state(const Request& request, Context& context) {
  choose_media_type(request, std::span(&kJson, 1));
  const StreamName stream = path_stream(request);
  // The snapshot first: its version is then never above the head.
  const std::optional<Snapshot> snapshot = newest_snapshot(stream, context);
  const Version head = existing_head(stream, context);
  StreamPager::Range range;
  range.stream = stream;
  range.head = head;
  range.from = Version{1};
  std::string start =
      R"({"stream":")" + stream.str() + R"(","version":)" + std::to_string(head.value);
  if (snapshot && snapshot->version <= head) {
    range.from = snapshot->version.next();
    start += R"(,"snapshot":)";
    append_snapshot_json(start, *snapshot);
  }
  start += R"(,"events":[)";
  auto pager = std::make_shared<StreamPager>(context.reader(), std::move(range),
                                             EventWriter(EventFormat::json, {}));
  Response response = answer(200, std::string(kJson), std::move(start));
  response.with("ETag", etag(head));
  response.source = [pager]() -> Result<BodyPart> {
    BodyPart part;
    const Status read = pager->read(part.bytes, kPieceBytes);
    if (!read.ok()) return read;
    part.last = pager->done();
    if (part.last) part.bytes += "]}";
    return part;
  };
  return response;
}

}  // namespace vouch::http
