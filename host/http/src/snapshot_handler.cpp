// PUT, GET and DELETE /v1/streams/{stream}/snapshot
#include "accept.h"
#include "format/event_json.h"
#include "format/json_text.h"
#include "format/text_codec.h"
#include "handlers.h"
#include "parameters.h"
#include "problem.h"
#include "snapshot_json.h"
#include "stream_head.h"

namespace vouch::http {
namespace {

SnapshotStore& store(Context& context) {
  if (context.backends.snapshots == nullptr || context.backends.snapshot_saver == nullptr) {
    reject(ProblemType::not_implemented, "the storage plugin keeps no snapshots");
  }
  return *context.backends.snapshots;
}

/// Version and data; the rest is left empty.
Snapshot read_snapshot(const Request& request) {
  const auto document = format::parse_json(request.body);
  if (!document.ok()) bad("the body is not JSON: " + document.status().message());
  if (document->kind != format::JsonKind::object) bad("the body must be an object");
  const auto members = format::json_members(*document);
  if (!members.ok()) bad(members.status().message());
  Snapshot snapshot;
  bool has_version = false;
  bool has_data = false;
  for (const auto& [key, value] : *members) {
    if (key == "version") {
      const auto version =
          value.kind == format::JsonKind::number ? format::json_unsigned(value) : std::nullopt;
      if (!version || *version == 0) bad("version must be a whole number from 1");
      snapshot.version = Version{*version};
      has_version = true;
    } else if (key == "data") {
      snapshot.data = value.text;
      has_data = true;
    } else {
      bad(key + " is unknown: version and data are known");
    }
  }
  if (!has_version) bad("version is missing");
  if (!has_data) bad("data is missing");
  return snapshot;
}

}  // namespace

void append_snapshot_json(std::string& out, const Snapshot& snapshot, bool with_stream) {
  out += '{';
  if (with_stream) out += R"("stream":")" + snapshot.stream.str() + R"(",)";
  out += R"("version":)" + std::to_string(snapshot.version.value) + R"(,"time":")" +
         format::time_text(snapshot.time) + '"';
  if (format::is_json_media_type(snapshot.content_type)) {
    out += R"(,"data":)" + snapshot.data;
  } else {
    out += R"(,"data_base64":")" + format::base64(snapshot.data) + '"';
  }
  if (snapshot.content_type != kJson) {
    out += R"(,"content_type":)";
    format::append_json_string(out, snapshot.content_type);
  }
  out += '}';
}

Response put_snapshot(const Request& request, Context& context) {
  store(context);
  const StreamName stream = path_stream(request);
  demand_json(request, "a snapshot comes");
  Snapshot snapshot = read_snapshot(request);
  const Version head = existing_head(stream, context);
  if (snapshot.version > head) {
    reject(ProblemType::unprocessable, "the snapshot is of version " +
                                           std::to_string(snapshot.version.value) +
                                           ", the stream is at " + std::to_string(head.value));
  }
  const Version version = snapshot.version;
  snapshot.stream = stream;
  snapshot.time = context.services.clock().now();
  snapshot.content_type = kJson;
  if (!context.backends.snapshot_saver->offer(std::move(snapshot))) {
    reject(ProblemType::overloaded, "too many snapshots wait to be saved; this one was dropped");
  }
  return answer(
      202, std::string(kJson),
      R"({"stream":")" + stream.str() + R"(","version":)" + std::to_string(version.value) + '}');
}

Response get_snapshot(const Request& request, Context& context) {
  choose_media_type(request, std::span(&kJson, 1));
  const StreamName stream = path_stream(request);
  const auto snapshot = store(context).newest(stream);
  if (!snapshot.ok()) {
    return to_response(storage_problem(snapshot.status(), "loading the snapshot"));
  }
  if (!snapshot->has_value()) {
    reject(ProblemType::not_found, "there is no snapshot of the stream " + stream.str());
  }
  std::string body;
  append_snapshot_json(body, **snapshot, true);
  Response response = answer(200, std::string(kJson), std::move(body));
  response.with("ETag", etag((*snapshot)->version));
  return response;
}

Response delete_snapshot(const Request& request, Context& context) {
  const StreamName stream = path_stream(request);
  SnapshotStore& snapshots = store(context);
  // What was offered before must not turn up again behind the removal.
  context.backends.snapshot_saver->flush();
  const Status removed = snapshots.remove(stream);
  if (!removed.ok()) return to_response(storage_problem(removed, "dropping the snapshot"));
  Response response;
  response.status = 204;
  return response;
}

}  // namespace vouch::http
