#include "writer.h"

namespace vouch::sqlite {

Writer::Writer(const Options& options, Marks& marks, OpenTokens& tokens)
    : options_(options), marks_(marks), tokens_(tokens) {}

void Writer::open() {
  connection_ = std::make_unique<Connection>(options_, Connection::Mode::write);
  // https://www.sqlite.org/c3ref/wal_hook.html: called after the commit, with its lock given back.
  sqlite3_wal_hook(connection_->handle(), &Writer::log_hook, this);
}

int Writer::log_hook(void* self, sqlite3* /*handle*/, const char* /*database*/, int frames) {
  const auto& hook = static_cast<Writer*>(self)->log_grew_;
  if (hook && frames > 0) hook(static_cast<std::uint64_t>(frames));
  return SQLITE_OK;
}

void Writer::prepare() {
  statements_ = std::make_unique<WriteStatements>(connection_->handle());
  const std::lock_guard lock(mutex_);
  ++generation_;
}

void Writer::close() {
  drop_session();
}

void Writer::drop_session() {
  statements_.reset();
  connection_.reset();
}

void Writer::reopen() {
  open();
  prepare();
}

std::unique_ptr<WriteTransaction> Writer::begin(std::chrono::milliseconds wait) {
  if (!turn_.take(wait)) throw StatusError(turn_did_not_come());
  try {
    if (statements_ == nullptr) reopen();
    connection_->busy_timeout(wait);
    statements_->begin.execute();
    return std::unique_ptr<WriteTransaction>(new WriteTransaction(*this));
  } catch (const SqlError& error) {
    failed(error);
    turn_.give_back();
    throw;
  } catch (...) {
    turn_.give_back();
    throw;
  }
}

void Writer::hold_turn(std::chrono::milliseconds wait, const std::function<void()>& body) {
  if (!turn_.take(wait)) throw StatusError(turn_did_not_come());
  try {
    body();
  } catch (...) {
    turn_.give_back();
    throw;
  }
  turn_.give_back();
}

Status Writer::turn_did_not_come() const {
  return {StatusCode::contended,
          "another transaction of this host on " + options_.path + " did not end in time"};
}

void Writer::seal(LaneNumber lane, std::chrono::milliseconds wait) {
  const auto transaction = begin(wait);
  transaction->sql().touch_lane.execute(lane.value);
  const CommitReport report = transaction->commit();
  if (!report.status.ok()) throw StatusError(report.status);
}

std::uint64_t Writer::generation() const {
  const std::lock_guard lock(mutex_);
  return generation_;
}

std::chrono::steady_clock::time_point Writer::last_carried() const {
  const std::lock_guard lock(mutex_);
  return last_carried_;
}

std::string Writer::last_error() const {
  const std::lock_guard lock(mutex_);
  return last_error_;
}

void Writer::failed(const SqlError& error) {
  if (breaks_session(error)) drop_session();
  if (error.code() == SQLITE_BUSY || error.code() == SQLITE_CONSTRAINT) return;
  const std::lock_guard lock(mutex_);
  last_error_ = status_of(error, options_.path).message();
}

void Writer::succeeded() {
  tokens_.settle_doubts();
  const std::lock_guard lock(mutex_);
  last_error_.clear();
}

void Writer::carried() {
  const std::lock_guard lock(mutex_);
  last_carried_ = std::chrono::steady_clock::now();
}

void WriteTransaction::carry_marks(std::size_t limit) {
  writer_.carried();
  marks_ = writer_.marks_.first(limit);
  changed_.clear();
  for (const Mark& mark : marks_) {
    changed_.push_back(
        sql().mark.execute(mark.id.number.value, mark.id.partition.value, mark.at.micros) > 0);
  }
}

void WriteTransaction::will_add(Partition partition, std::uint64_t events) {
  added_.emplace_back(partition, events);
}

void WriteTransaction::failed(const SqlError& error) {
  // The session is given up only after the rollback, by `end`.
  broken_ = broken_ || breaks_session(error);
  if (error.code() == SQLITE_BUSY || error.code() == SQLITE_CONSTRAINT) return;
  const std::lock_guard lock(writer_.mutex_);
  writer_.last_error_ = status_of(error, writer_.options_.path).message();
}

CommitReport WriteTransaction::commit() {
  if (!open_) return {{StatusCode::failed_precondition, "no transaction is open"}, false};
  try {
    sql().commit.execute();
  } catch (const SqlError& error) {
    failed(error);
    rollback();
    return {status_of(error, writer_.options_.path), commit_in_doubt(error)};
  }
  for (const auto& [partition, events] : added_) writer_.marks_.committed(partition, events);
  writer_.marks_.written(marks_, changed_);
  writer_.succeeded();
  end();
  return {};
}

void WriteTransaction::rollback() {
  if (!open_) return;
  sqlite3* handle = sql().handle;
  // Some errors end the transaction by themselves; a session that can't roll back is closed.
  if (sqlite3_get_autocommit(handle) == 0 &&
      sqlite3_exec(handle, "ROLLBACK", nullptr, nullptr, nullptr) != SQLITE_OK) {
    broken_ = true;
  }
  end();
}

void WriteTransaction::end() {
  open_ = false;
  if (broken_) writer_.drop_session();
  writer_.turn_.give_back();
}

}  // namespace vouch::sqlite
