#include "state.h"

#include <algorithm>

#include "bytes.h"

namespace storage_journal {

using namespace vouch;

namespace {

enum class Kind : std::uint8_t { identity = 1, session = 2, transaction = 3, marks = 4, purge = 5 };

std::string entry_of(Kind kind) {
  return std::string(1, static_cast<char>(kind));
}

void put_id(std::string& out, const DeliveryId& id) {
  put_number(out, id.partition.value);
  put_number(out, id.number.value);
}

DeliveryId take_id(Taker& taker) {
  const auto partition = taker.number<std::uint32_t>();
  return {{partition}, {taker.number<std::uint64_t>()}};
}

void put_time(std::string& out, Timestamp time) {
  put_number(out, static_cast<std::uint64_t>(time.micros));
}

Timestamp take_time(Taker& taker) {
  return {static_cast<std::int64_t>(taker.number<std::uint64_t>())};
}

void put_event(std::string& out, const Event& event) {
  out.append(event.id.view());
  put_text(out, event.stream.view());
  put_number(out, event.version.value);
  put_text(out, event.type);
  put_time(out, event.time);
  put_text(out, event.content_type);
  put_text(out, event.data);
  put_text(out, event.metadata);
}

Event take_event(Taker& taker) {
  Event event;
  for (auto& byte : event.id.bytes) byte = taker.number<std::uint8_t>();
  event.stream = StreamName::unchecked(taker.text());
  event.version = {taker.number<std::uint64_t>()};
  event.type = taker.text();
  event.time = take_time(taker);
  event.content_type = taker.text();
  event.data = taker.text();
  event.metadata = taker.text();
  return event;
}

Transaction take_transaction(Taker& taker) {
  Transaction transaction;
  transaction.token.lane = {taker.number<std::uint32_t>()};
  transaction.token.batch = {taker.number<std::uint64_t>()};
  const auto parts = taker.number<std::uint32_t>();
  for (std::uint32_t i = 0; i < parts && taker.good(); ++i) {
    Transaction::Part& part = transaction.parts.emplace_back();
    part.delivery.id = take_id(taker);
    part.delivery.token = transaction.token;
    part.delivery.written = take_time(taker);
    part.delivery.events = taker.number<std::uint32_t>();
    for (std::uint32_t e = 0; e < part.delivery.events && taker.good(); ++e) {
      part.events.push_back(take_event(taker));
    }
  }
  const auto keys = taker.number<std::uint32_t>();
  for (std::uint32_t i = 0; i < keys && taker.good(); ++i) {
    auto& [name, row] = transaction.keys.emplace_back();
    name.first = taker.text();
    name.second = taker.text();
    row.digest = taker.text();
    row.result = taker.text();
    row.written = take_time(taker);
  }
  return transaction;
}

}  // namespace

std::string State::identity_entry(const StoreIdentity& identity) {
  std::string entry = entry_of(Kind::identity);
  put_text(entry, identity.name);
  put_number(entry, identity.partitions);
  return entry;
}

std::string State::session_entry(LaneNumber lane) {
  std::string entry = entry_of(Kind::session);
  put_number(entry, lane.value);
  return entry;
}

std::string State::transaction_entry(const Transaction& transaction) {
  std::string entry = entry_of(Kind::transaction);
  put_number(entry, transaction.token.lane.value);
  put_number(entry, transaction.token.batch.value);
  put_number(entry, static_cast<std::uint32_t>(transaction.parts.size()));
  for (const Transaction::Part& part : transaction.parts) {
    put_id(entry, part.delivery.id);
    put_time(entry, part.delivery.written);
    put_number(entry, part.delivery.events);
    for (const Event& event : part.events) put_event(entry, event);
  }
  put_number(entry, static_cast<std::uint32_t>(transaction.keys.size()));
  for (const auto& [name, row] : transaction.keys) {
    put_text(entry, name.first);
    put_text(entry, name.second);
    put_text(entry, row.digest);
    put_text(entry, row.result);
    put_time(entry, row.written);
  }
  return entry;
}

std::string State::mark_entry(std::span<const DeliveryId> deliveries, Timestamp now) {
  std::string entry = entry_of(Kind::marks);
  put_time(entry, now);
  put_number(entry, static_cast<std::uint32_t>(deliveries.size()));
  for (const DeliveryId& id : deliveries) put_id(entry, id);
  return entry;
}

std::string State::purge_entry(Timestamp until, std::uint32_t limit) {
  std::string entry = entry_of(Kind::purge);
  put_time(entry, until);
  put_number(entry, limit);
  return entry;
}

Status State::apply(std::string_view entry) {
  Taker taker(entry);
  switch (static_cast<Kind>(taker.number<std::uint8_t>())) {
    case Kind::identity: {
      std::string name = taker.text();
      identity = StoreIdentity{std::move(name), taker.number<std::uint32_t>()};
      break;
    }
    case Kind::session:
      open_session({taker.number<std::uint32_t>()});
      break;
    case Kind::transaction:
      commit(take_transaction(taker));
      break;
    case Kind::marks: {
      const Timestamp now = take_time(taker);
      const auto count = taker.number<std::uint32_t>();
      for (std::uint32_t i = 0; i < count && taker.good(); ++i) mark(take_id(taker), now);
      break;
    }
    case Kind::purge: {
      const Timestamp until = take_time(taker);
      purge(until, taker.number<std::uint32_t>());
      break;
    }
    default:
      return {StatusCode::corrupt, "an entry of a kind that this version does not know"};
  }
  if (!taker.done()) return {StatusCode::corrupt, "an entry has not the length that it should"};
  return {};
}

void State::loaded() {
  // Which batches they gave out and did not commit nobody knows: perhaps all.
  for (const auto& [lane, incarnation] : incarnations) {
    issued[lane] = {(std::uint64_t{incarnation} << 32U) | 0xffffffffU};
  }
}

void State::open_session(LaneNumber lane) {
  ++sessions;
  const std::uint64_t incarnation = ++incarnations[lane];
  issued[lane] = {incarnation << 32U};
}

void State::commit(Transaction transaction) {
  for (Transaction::Part& part : transaction.parts) {
    LedgerRow row{part.delivery, {}, std::nullopt};
    for (Event& event : part.events) {
      auto stored =
          std::make_shared<Stored>(Stored{std::move(event), part.delivery.id, log.size() + 1});
      log.push_back(stored);
      streams[stored->event.stream.str()].push_back(stored);
      ids.emplace(stored->event.id, stored);
      row.events.push_back(std::move(stored));
    }
    waiting.insert(part.delivery.id.number);
    ledger.emplace(part.delivery.id.number, std::move(row));
    ++committed_[transaction.token];
  }
  for (auto& [name, row] : transaction.keys) keys.insert_or_assign(name, std::move(row));
  BatchNumber& last = issued[transaction.token.lane];
  last = std::max(last, transaction.token.batch);
}

void State::mark(const DeliveryId& id, Timestamp now) {
  const auto row = ledger.find(id.number);
  if (row == ledger.end() || row->second.delivery.id != id || row->second.marked) return;
  row->second.marked = now;
  waiting.erase(id.number);
}

void State::purge(Timestamp until, std::uint32_t limit) {
  std::uint64_t rows = 0;
  for (auto row = ledger.begin(); row != ledger.end() && rows < limit;) {
    if (!row->second.marked || *row->second.marked > until) {
      ++row;
      continue;
    }
    const Token& token = row->second.delivery.token;
    purged.insert(row->second.delivery.id);
    if (--committed_[token] == 0) {
      BatchNumber& highest = horizon_[token.lane];
      highest = std::max(highest, token.batch);
      committed_.erase(token);
    }
    row = ledger.erase(row);
    ++rows;
  }
  std::uint64_t forgotten = 0;
  for (auto key = keys.begin(); key != keys.end() && forgotten < limit;) {
    if (key->second.written > until) {
      ++key;
      continue;
    }
    key = keys.erase(key);
    ++forgotten;
  }
  last_purged = rows + forgotten;
}

Version State::head(std::string_view stream) const {
  const auto found = streams.find(stream);
  return found == streams.end() ? Version{} : found->second.back()->event.version;
}

Verdict State::resolve(const Token& token) const {
  if (committed_.contains(token)) return Verdict::committed;
  const auto purged_until = horizon_.find(token.lane);
  if (purged_until != horizon_.end() && token.batch <= purged_until->second) {
    return Verdict::forgotten;
  }
  const auto last = issued.find(token.lane);
  const bool given_out = last != issued.end() && token.batch <= last->second;
  return given_out ? Verdict::aborted : Verdict::forgotten;
}

const LedgerRow* State::row(const DeliveryId& id) const {
  const auto found = ledger.find(id.number);
  return found != ledger.end() && found->second.delivery.id == id ? &found->second : nullptr;
}

}  // namespace storage_journal
