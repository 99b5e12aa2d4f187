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
/// - id: kept as the event's id if it is a KSUID, else as metadata "ce_id"; the event's id is then
///   all zero: the host draws one.
/// - source: metadata "ce_source". subject: metadata "ce_subject" (what goes out has the stream's
///   name there).
/// - type, time: the event's (time: the given, else `now`).
/// - datacontenttype: the event's content type. Without one it is application/json for `data`,
///   application/octet-stream for bytes, and empty for an event without data.
/// - data: byte for byte. If its media type is not JSON it must be a string, whose text is then the
///   data. data_base64 is decoded; declared as JSON, it must be JSON.
/// - The rest (dataschema, extensions): metadata members of the attribute's name, values (strings,
///   numbers, booleans) as they stand, in the given order, behind the ce_ members.
/// An attribute that is null counts as not given. Names are lower-case letters and digits, strings
/// have no control characters, and id, source, type and specversion "1.0" must be there.
/// Pre: `object` comes from `parse_json`. Errors: invalid_argument that names the attribute; in a
/// batch the caller adds the place (`with_context("[3]")`).
Result<NewEvent> read_cloud_event(const JsonSlice& object, Timestamp now);

/// Reads the binary mode of the HTTP binding: `attributes` are the ce-* headers without the prefix,
/// lower case, percent-decoded (HTTP binding section 3.1.3.2); the body is the data as it is, and
/// must be JSON if its content type says so. The same rules and errors as above.
Result<NewEvent> read_cloud_event(
    const std::vector<std::pair<std::string, std::string>>& attributes,
    std::string_view content_type, std::string_view body, Timestamp now);

/// Appends an event in structured JSON: id, source (/{store}/{stream}), specversion, type, time,
/// datacontenttype, subject, partitionkey, sequence (version, zero-padded to 20 digits),
/// then the string members of the metadata whose name is a legal attribute name (lower-case letters
/// and digits) and not one of the above, "data" or "redelivered", in their order and as they stand
/// (correlationid, causationid, traceparent, tracestate, dataschema, extensions; correlation_id and
/// causation_id are taken for the names without the line), then data as it is (JSON media types) or
/// data_base64, if there is any. `redelivered` adds the extension "redelivered":"true".
void append_cloud_event(std::string& out, const EventView& event, std::string_view store,
                        bool redelivered = false);

/// The same event in binary mode: its attributes by name, as `append_cloud_event` writes them, each
/// value as plain UTF-8 text. datacontenttype stands first and is called "content-type", if the
/// event has one; the data is the event's, as it is. (Kafka binding 3.2, MQTT binding 3.1.)
std::vector<std::pair<std::string, std::string>> cloud_event_attributes(const EventView& event,
                                                                        std::string_view store,
                                                                        bool redelivered = false);

inline constexpr std::string_view kCloudEventMediaType = "application/cloudevents+json";
inline constexpr std::string_view kCloudEventBatchMediaType = "application/cloudevents-batch+json";

}  // namespace vouch::format
