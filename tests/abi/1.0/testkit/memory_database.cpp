// MemoryDatabase: sessions, the ends of transactions, resolution and purge. See the header for the
// locking rule.
#include "memory_database.h"

#include <algorithm>
#include <chrono>

namespace vouch::testkit {

Timestamp wall_now() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::microseconds>(since_epoch).count()};
}

namespace {

/// Bytes of every kind, so that whoever carries a token and mangles it is found out.
std::string native_of(std::uint64_t batch) {
  std::string native("\0\xff", 2);
  for (int shift = 56; shift >= 0; shift -= 8) {
    native.push_back(static_cast<char>(static_cast<std::uint8_t>(batch >> shift)));
  }
  return native;
}

}  // namespace

SessionPtr MemoryDatabase::Impl::open_session(LaneNumber lane, const void* host) {
  auto session = std::make_shared<Session>();
  session->lane = lane;
  session->host = host;
  session->incarnation = ++incarnations[lane];
  sessions[lane] = session;
  return session;
}

void MemoryDatabase::Impl::end_session(Session& session) {
  if (!session.alive) return;
  session.alive = false;
  session.open.reset();
  sessions.erase(session.lane);
  ended.notify_all();
}

void MemoryDatabase::Impl::end_host(const void* host) {
  std::vector<SessionPtr> of_host;
  for (const auto& [lane, session] : sessions) {
    if (session->host == host) of_host.push_back(session);
  }
  for (const SessionPtr& session : of_host) end_session(*session);
  for (auto claim = claims.begin(); claim != claims.end();) {
    if (claim->second->host != host) {
      ++claim;
      continue;
    }
    claim->second->held.store(false);
    claim = claims.erase(claim);
  }
}

void MemoryDatabase::Impl::begin(Session& session) {
  const std::uint64_t batch = (std::uint64_t{session.incarnation} << 32U) | ++session.batches;
  session.open = std::make_unique<Transaction>();
  session.open->token = {session.lane, {batch}, native_of(batch)};
  issued[session.lane] = {batch};
}

void MemoryDatabase::Impl::commit(Session& session) {
  const std::unique_ptr<Transaction> transaction = std::move(session.open);
  for (const RecordPtr& record : transaction->records) {
    log.push_back(record);
    record->position = log.size();
    streams[record->event.stream.str()].push_back(record);
    ids[record->event.id] = record;
  }
  keys.merge(transaction->keys);
  for (LedgerRow& row : transaction->rows) {
    const LedgerNumber number = row.delivery.id.number;
    ledger.emplace(number, std::move(row));
    undelivered.insert(number);
    ++committed[transaction->token];
  }
  ended.notify_all();
}

void MemoryDatabase::Impl::rollback(Session& session) {
  session.open.reset();
  ended.notify_all();
}

Version MemoryDatabase::Impl::head(const std::string& stream) const {
  const auto found = streams.find(stream);
  return found == streams.end() ? Version{} : found->second.back()->event.version;
}

Verdict MemoryDatabase::Impl::resolve(const Token& token) const {
  const auto session = sessions.find(token.lane);
  if (session != sessions.end() && session->second->open && session->second->open->token == token) {
    return Verdict::in_progress;
  }
  if (committed.contains(token)) return Verdict::committed;
  const auto purged_until = horizon.find(token.lane);
  if (purged_until != horizon.end() && token.batch <= purged_until->second) {
    return Verdict::forgotten;
  }
  const auto last = issued.find(token.lane);
  const bool given_out = last != issued.end() && token.batch <= last->second;
  return given_out ? Verdict::aborted : Verdict::forgotten;
}

bool MemoryDatabase::Impl::mark(const DeliveryId& id) {
  const auto row = ledger.find(id.number);
  if (row == ledger.end() || row->second.delivery.id != id || row->second.marked) return false;
  row->second.marked = wall_now();
  undelivered.erase(id.number);
  return true;
}

std::uint64_t MemoryDatabase::Impl::purge(Timestamp until, std::uint32_t limit) {
  std::uint32_t rows = 0;
  for (auto row = ledger.begin(); row != ledger.end() && rows < limit;) {
    if (!row->second.marked || *row->second.marked > until) {
      ++row;
      continue;
    }
    const Token& token = row->second.delivery.token;
    purged.insert(row->second.delivery.id);
    if (--committed[token] == 0) {
      horizon[token.lane] = std::max(horizon[token.lane], token.batch);
      committed.erase(token);
    }
    row = ledger.erase(row);
    ++rows;
  }
  std::uint32_t forgotten_keys = 0;
  for (auto key = keys.begin(); key != keys.end() && forgotten_keys < limit;) {
    if (key->second.written > until) {
      ++key;
      continue;
    }
    key = keys.erase(key);
    ++forgotten_keys;
  }
  return std::uint64_t{rows} + forgotten_keys;
}

MemoryDatabase::MemoryDatabase() : impl_(std::make_unique<Impl>()) {}
MemoryDatabase::~MemoryDatabase() = default;

std::vector<Event> MemoryDatabase::events() const {
  const std::lock_guard lock(impl_->mutex);
  std::vector<Event> events;
  events.reserve(impl_->log.size());
  for (const RecordPtr& record : impl_->log) events.push_back(record->event);
  return events;
}

std::vector<DeliveryId> MemoryDatabase::undelivered() const {
  const std::lock_guard lock(impl_->mutex);
  std::vector<DeliveryId> ids;
  for (const LedgerNumber number : impl_->undelivered) {
    ids.push_back(impl_->ledger.at(number).delivery.id);
  }
  return ids;
}

}  // namespace vouch::testkit
