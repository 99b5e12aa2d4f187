// CloudEvents 1.0: reading what clients send (structured, batch, binary) and writing what goes out.
// https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md and formats/json-format.md.
// Stateless, any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "format/json_text.h"
#include "vouch/event.h"

namespace vouch::format {

/// Reads one CloudEvent in JSON (media type application/cloudevents+json).
///   id           kept as the event's id if it is a KSUID, else as metadata "ce_id"; the event's id
///                is then all zero: the host draws one
///   source       metadata "ce_source"
///   type, time   the event's (time: the given, else `now`)
///   data         byte for byte; data_base64 is decoded
///   the rest     (subject, dataschema, extensions) metadata members of the attribute's name
/// Errors: invalid_argument that names the attribute (`where` in front of it, for example "[3]").
Result<NewEvent> read_cloud_event(const JsonSlice& object, Timestamp now);

/// Reads the binary mode of the HTTP binding: `attributes` are the ce-* headers without the prefix,
/// lower case, percent-decoded (HTTP binding section 3.1.3.2); the body is the data as it is.
Result<NewEvent> read_cloud_event(
    const std::vector<std::pair<std::string, std::string>>& attributes,
    std::string_view content_type, std::string_view body, Timestamp now);

/// Appends an event in structured JSON: id, source (/{store}/{stream}), specversion, type, time,
/// datacontenttype, subject, partitionkey, sequence (version, zero-padded to 20 digits),
/// correlationid, causationid, traceparent, tracestate and other top-level string metadata whose
/// name is a legal attribute name (lower-case letters and digits) and not one of the above, then
/// data as it is (JSON media types) or data_base64.
/// `redelivered` adds the extension "redelivered":"true".
void append_cloud_event(std::string& out, const EventView& event, std::string_view store,
                        bool redelivered = false);

inline constexpr std::string_view kCloudEventMediaType = "application/cloudevents+json";
inline constexpr std::string_view kCloudEventBatchMediaType = "application/cloudevents-batch+json";

}  // namespace vouch::format
