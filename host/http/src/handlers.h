// The handlers, one for each route of docs/http-api.md; each lives in the file of its resource.
// They read their request strictly, reject by throwing Rejection, and answer. [any-thread]; they
// may block for as long as the storage, or the wait that the client asked for.
#pragma once

#include "context.h"
#include "message.h"

namespace vouch::http {

Response append_events(const Request& request, Context& context);
Response append_streams(const Request& request, Context& context);

Response read_stream(const Request& request, Context& context);
Response head_stream(const Request& request, Context& context);
Response read_state(const Request& request, Context& context);
Response list_streams(const Request& request, Context& context);

Response read_event(const Request& request, Context& context);
Response read_feed(const Request& request, Context& context);
Response follow_feed(const Request& request, Context& context);

Response put_snapshot(const Request& request, Context& context);
Response get_snapshot(const Request& request, Context& context);
Response delete_snapshot(const Request& request, Context& context);

Response erase_stream(const Request& request, Context& context);
Response list_erasures(const Request& request, Context& context);

Response read_transaction(const Request& request, Context& context);
Response read_delivery(const Request& request, Context& context);
Response list_dead_letters(const Request& request, Context& context);
Response retry_dead_letter(const Request& request, Context& context);
Response discard_dead_letter(const Request& request, Context& context);
Response replay_history(const Request& request, Context& context);

Response live_probe(const Request& request, Context& context);
Response ready_probe(const Request& request, Context& context);
Response show_metrics(const Request& request, Context& context);
Response show_info(const Request& request, Context& context);
Response show_openapi(const Request& request, Context& context);

}  // namespace vouch::http
