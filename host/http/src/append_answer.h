// How an append is answered over HTTP: the acknowledgement that the client wishes, and every
// outcome but success as a problem. Stateless, any thread.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <vector>

#include "append/append_service.h"
#include "context.h"
#include "message.h"

namespace vouch::http {

/// The query parameters `ack` and `wait`.
struct AckWish {
  bool delivered = false;
  std::chrono::milliseconds wait{5'000};
};

AckWish read_ack(const Request& request);

struct Stored {
  append::AppendAnswer answer;
  bool delivered = false;
};
/// Appends, and waits for the delivery if that is wished. `demands`: what the append's streams must
/// be, those of its writes first. Rejects unless the events are stored.
Stored append_and_wait(Append append, std::span<const Precondition> demands, const AckWish& wish,
                       Context& context);

/// 201, or 202 when the delivery was wished and did not come in time. `head` is the beginning of an
/// object's members; the transaction and the state stand behind it.
Response stored_response(const Stored& stored, const AckWish& wish, std::string head);

/// A JSON array.
std::string ids_json(std::span<const EventId> ids);

}  // namespace vouch::http
