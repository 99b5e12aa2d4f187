// What followers get, in server-sent events
// (https://html.spec.whatwg.org/multipage/server-sent-events.html) or NDJSON. Stateless.
#pragma once

#include <string>
#include <string_view>

#include "message.h"
#include "vouch/event.h"

namespace vouch::http {

/// `cursor` is the place behind the event, as bytes.
void append_follow_event(std::string& out, FollowFormat format, const EventView& event,
                         std::string_view cursor);
void append_caught_up(std::string& out, FollowFormat format, std::string_view cursor);
void append_heartbeat(std::string& out, FollowFormat format, std::string_view cursor);

/// Whether a live event is one that the filter lets through.
bool matches(const FeedFilter& filter, const EventView& event);

}  // namespace vouch::http
