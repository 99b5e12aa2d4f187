// Events as the HTTP API shows them. Stateless, any thread.
#pragma once

#include <string>
#include <string_view>

#include "vouch/event.h"

namespace vouch::format {

/// True for application/json and every type with a "+json" suffix, parameters ignored, whatever
/// case.
bool is_json_media_type(std::string_view content_type);

/// Appends
/// {"id","stream","version","type","time","data"|"data_base64","content_type"?,"metadata"?}. `data`
/// of a JSON media type is put in as it is; everything else becomes `data_base64`; an event without
/// data (a CloudEvent may have none) has neither. `content_type` is left out for application/json
/// and when there is none. `cursor_text` is added as "cursor" when given.
/// Pre: `metadata`, and `data` of a JSON media type, were checked when the event was taken.
void append_event_json(std::string& out, const EventView& event, std::string_view cursor_text = {});

/// Appends `,"data":…` or `,"data_base64":"…"` by the rules above, or nothing.
void append_data_member(std::string& out, const EventView& event);

}  // namespace vouch::format
