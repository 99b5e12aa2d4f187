#include "core.h"

namespace storage_journal {

using namespace vouch;

namespace {

/// Ledger numbers of one session; the next one begins behind them, used or not.
constexpr unsigned kNumberBits = 24;

}  // namespace

Status Core::usable() const {
  if (journal == nullptr) return {StatusCode::unavailable, "the storage is not open"};
  if (!failed) return {};
  return {
      StatusCode::unavailable,
      "the journal could not be forced to the disk; restart the host, which reads what is there"};
}

Status Core::migrated() const {
  if (Status status = usable(); !status.ok()) return status;
  if (state.identity) return {};
  return {StatusCode::failed_precondition, "the store was not migrated"};
}

Journal::Outcome Core::write(std::string_view entry, bool force) {
  Journal::Outcome outcome = journal->append(entry, force);
  if (outcome.written == Journal::Written::unknown) failed = true;
  if (outcome.written == Journal::Written::yes) {
    ignore_status(state.apply(entry), "it was made here, from this very state");
  }
  return outcome;
}

Result<std::shared_ptr<Session>> Core::open_session(LaneNumber lane) {
  const Journal::Outcome outcome = write(State::session_entry(lane), true);
  if (outcome.written != Journal::Written::yes) return outcome.why;
  session = std::make_shared<Session>();
  session->lane = lane;
  session->batch = {std::uint64_t{state.incarnations.at(lane)} << 32U};
  session->last_number = state.sessions << kNumberBits;
  return session;
}

void Core::end_session(Session& ending) {
  ending.open.reset();
  ending.alive = false;
  if (session.get() == &ending) session.reset();
  session_ended.notify_all();
}

}  // namespace storage_journal
