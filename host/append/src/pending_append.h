// Appends on their way through a lane, each with a ticket for whoever waits for its answer.
#pragma once

#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

#include "append/append_service.h"

namespace vouch::append {

struct Ticket {
  AppendDone done;
  std::chrono::steady_clock::time_point taken;  ///< when `submit` took it
  std::uint32_t events = 0;
  std::uint64_t bytes = 0;
  std::uint32_t lost_races = 0;
  std::uint64_t number = 0;  ///< which append of this host it is
};

struct PendingAppend {
  Append append;
  Ticket ticket;

  /// Of its first write. Pre: it has one.
  [[nodiscard]] std::uint32_t partition() const { return append.writes.front().partition.value; }
};

/// What one transaction writes: appends side by side, as `Lane::stage` takes them, and the ticket
/// of each at the same index.
struct Group {
  std::vector<Append> appends;
  std::vector<Ticket> tickets;

  [[nodiscard]] bool empty() const { return appends.empty(); }
  [[nodiscard]] std::size_t size() const { return appends.size(); }
  void add(PendingAppend pending) {
    appends.push_back(std::move(pending.append));
    tickets.push_back(std::move(pending.ticket));
  }
  PendingAppend take_out(std::size_t index) {
    return {std::move(appends[index]), std::move(tickets[index])};
  }
};

inline void measure(PendingAppend& pending) {
  for (const Write& write : pending.append.writes) {
    pending.ticket.events += static_cast<std::uint32_t>(write.events.size());
    for (const NewEvent& event : write.events) {
      pending.ticket.bytes += event.data.size() + event.metadata.size() + event.type.size() +
                              event.content_type.size() + write.stream.str().size() +
                              EventId::kBytes;
    }
  }
}

inline AppendAnswer failed_answer(AppendCode code, Status reason) {
  AppendAnswer answer;
  answer.code = code;
  answer.reason = std::move(reason);
  return answer;
}

}  // namespace vouch::append
