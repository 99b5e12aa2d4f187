// A snapshot as the API shows it. Stateless.
#pragma once

#include <string>

#include "vouch/snapshot_store.h"

namespace vouch::http {

/// Appends {"version","time","data"|"data_base64","content_type"?}; with `stream`, its name first.
void append_snapshot_json(std::string& out, const Snapshot& snapshot, bool with_stream = false);

}  // namespace vouch::http
