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
/// of a JSON media type is put in as it is; everything else becomes `data_base64`. `content_type`
/// is left out for application/json. `cursor_text` is added as "cursor" when given.
void append_event_json(std::string& out, const EventView& event, std::string_view cursor_text = {});

}  // namespace vouch::format
