#include "session.h"

#include <Poco/Data/PostgreSQL/Connector.h>
#include <Poco/Data/PostgreSQL/SessionHandle.h>
#include <Poco/Data/PostgreSQL/Utility.h>
#include <Poco/Exception.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <set>
#include <string_view>

#include "errors.h"

namespace vouch::postgres {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// The database ends a statement at its time-out; a connection that is silent for so much longer
/// is given up.
constexpr milliseconds kGrace{5'000};
constexpr int kOldestServer = 130'000;

/// libpq tells no SQLSTATE of a failed connection, so the server's English words are looked at.
const char* state_of_failed_connection(const std::string& words) {
  struct Pattern {
    const char* words;
    const char* state;
  };
  static constexpr Pattern kPatterns[] = {
      {"password authentication failed", "28P01"},
      {"no password supplied", "28P01"},
      {"pg_hba.conf", "28000"},
      {"role \"", "28000"},
      {"database \"", "3D000"},
      {"starting up", "57P03"},
      {"shutting down", "57P03"},
      {"not yet accepting", "57P03"},
      {"recovery", "57P03"},
      {"too many", "53300"},
      {"remaining connection slots", "53300"},
  };
  for (const Pattern& pattern : kPatterns) {
    if (words.find(pattern.words) != std::string::npos) return pattern.state;
  }
  return SqlError::kConnectionLost;
}

/// Backslashes in front of what libpq's parser takes for its own.
std::string escaped(const std::string& value) {
  std::string text;
  for (const char c : value) {
    if (c == '\\' || c == '\'') text.push_back('\\');
    text.push_back(c);
  }
  return text;
}

std::string connection_text(const Options& options, const std::string& purpose) {
  std::map<std::string, std::string> parameters = options.connection;
  const auto otherwise = [&](const char* key, const std::string& value) {
    parameters.try_emplace(key, value);
  };
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(options.connect_timeout);
  otherwise("application_name", "vouch-" + purpose);
  otherwise("connect_timeout", std::to_string(std::max<std::int64_t>(seconds.count(), 2)));
  otherwise("client_encoding", "UTF8");
  // A host that vanished without a word is noticed within some ten seconds on this side too.
  otherwise("keepalives_idle", "5");
  otherwise("keepalives_interval", "2");
  otherwise("keepalives_count", "3");
  otherwise("tcp_user_timeout", "12000");
  std::string text;
  for (const auto& [key, value] : parameters) {
    if (value.empty()) continue;
    if (!text.empty()) text.push_back(' ');
    text.append(key).append("=").append(escaped(value));
  }
  return text;
}

/// Throws SqlError unless a connection can be made.
void try_connection(const std::string& text) {
  const std::unique_ptr<PGconn, decltype(&PQfinish)> attempt(PQconnectdb(text.c_str()), &PQfinish);
  if (PQstatus(attempt.get()) == CONNECTION_OK) return;
  const std::string words = PQerrorMessage(attempt.get());
  throw SqlError(state_of_failed_connection(words), words);
}

Poco::Data::Session connect(const std::string& text) {
  static const bool registered = [] {
    Poco::Data::PostgreSQL::Connector::registerConnector();
    return true;
  }();
  static_cast<void>(registered);
  try {
    return {Poco::Data::PostgreSQL::Connector::KEY, text};
  } catch (const Poco::Exception& error) {
    throw SqlError(state_of_failed_connection(error.message()), error.message());
  }
}

}  // namespace

std::string version_words(int version) {
  return "PostgreSQL " + std::to_string(version / 10'000) + "." + std::to_string(version % 10'000);
}

Connection::Connection(const Options& options, const std::string& purpose) {
  const std::string text = connection_text(options, purpose);
  try_connection(text);
  session_.emplace(connect(text));
  native_ = *Poco::Data::PostgreSQL::Utility::handle(*session_);
}

Connection::~Connection() {
  const bool broken = PQstatus(native_) != CONNECTION_OK;
  session_.reset();
  if (broken) PQfinish(native_);
}

Session::Session(const Options& options, const std::string& purpose)
    : owner_(options, purpose),
      connection_(owner_.native()),
      patience_(options.statement_timeout + kGrace) {
  if (PQsetnonblocking(connection_, 1) != 0) lost("can't make the connection non-blocking");
  // Asked of every session: the server behind an address may become another one.
  if (server_version() < kOldestServer) {
    throw StatusError({StatusCode::failed_precondition,
                       options.place() + ": the server is " + version_words(server_version()) +
                           "; Vouch needs PostgreSQL 13 or later"});
  }
  set_up(options);
}

void Session::set_up(const Options& options) {
  static constexpr Sql kSetUp{
      "set_up",
      "SELECT (SELECT (extract(epoch FROM backend_start) * 1000000)::bigint FROM pg_stat_activity "
      " WHERE pid = pg_backend_pid()), "
      "set_config('search_path', $1, false), set_config('statement_timeout', $2, false), "
      "set_config('lock_timeout', $3, false), "
      "set_config('idle_in_transaction_session_timeout', $4, false), "
      "set_config('default_transaction_isolation', 'read committed', false), "
      "set_config('default_transaction_read_only', 'off', false), "
      // Every statement here is a walk along an index. While a table is young or its statistics are
      // old, the planner takes other ways that read all of it.
      "set_config('enable_seqscan', 'off', false), set_config('enable_hashjoin', 'off', false), "
      "set_config('enable_mergejoin', 'off', false), "
      "set_config('enable_bitmapscan', 'off', false), set_config('jit', 'off', false), "
      "set_config('max_parallel_workers_per_gather', '0', false), "
      "set_config('plan_cache_mode', 'force_generic_plan', false)"};
  const auto text = [](milliseconds time) { return std::to_string(time.count()); };
  const Rows rows = run(kSetUp, Parameters()
                                    .text('"' + options.schema + "\", pg_catalog")
                                    .text(text(options.statement_timeout))
                                    .text(text(options.lock_timeout))
                                    .text(text(options.idle_transaction_timeout)));
  started_ = rows.integer(0, 0);
}

Rows Session::run(const Sql& sql, Parameters parameters) {
  std::vector<Step> steps;
  steps.push_back({&sql, std::move(parameters)});
  return std::move(run(std::move(steps)).front());
}

std::vector<Rows> Session::run(std::vector<Step> steps) {
  if (!usable_) throw SqlError(SqlError::kConnectionLost, "the connection was lost before");
  const Time deadline = steady_clock::now() + patience_;
  if (PQenterPipelineMode(connection_) != 1) lost("can't enter pipeline mode");
  // Each statement that is new to the session is prepared in front of its use.
  std::vector<bool> prepares;
  std::set<std::string_view> sent;
  for (const Step& step : steps) {
    if (!prepared_.contains(step.sql->name) && sent.insert(step.sql->name).second) {
      if (PQsendPrepare(connection_, step.sql->name, step.sql->text,
                        static_cast<int>(step.parameters.types_.size()),
                        step.parameters.types_.data()) != 1) {
        lost(PQerrorMessage(connection_));
      }
      prepares.push_back(true);
    }
    send(step);
    prepares.push_back(false);
  }
  if (PQpipelineSync(connection_) != 1) lost(PQerrorMessage(connection_));
  flush(deadline);

  std::vector<Rows> all;
  all.reserve(steps.size());
  std::unique_ptr<SqlError> failure;
  std::size_t at = 0;
  for (const bool prepare : prepares) {
    Rows rows(next_result(deadline));
    PGresult* end = next_result(deadline);
    if (end != nullptr) {
      PQclear(end);
      lost("unexpected second result");
    }
    const ExecStatusType status = rows.status();
    if (status == PGRES_FATAL_ERROR && !failure) {
      failure = std::make_unique<SqlError>(rows.sql_state(), rows.complaint());
    }
    const bool good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (prepare) {
      if (good) prepared_.insert(steps[at].sql->name);
    } else {
      ++at;
      all.push_back(std::move(rows));
    }
  }
  const Rows sync(next_result(deadline));
  if (sync.status() != PGRES_PIPELINE_SYNC) lost("the pipeline is out of step");
  if (PQexitPipelineMode(connection_) != 1) lost(PQerrorMessage(connection_));
  if (failure) {
    if (breaks_session(*failure)) usable_ = false;
    throw SqlError(*failure);
  }
  return all;
}

void Session::send(const Step& step) {
  const Parameters& parameters = step.parameters;
  std::vector<const char*> values;
  std::vector<int> lengths;
  const std::vector<int> formats(parameters.values_.size(), 1);
  for (const std::string& value : parameters.values_) {
    values.push_back(value.data());
    lengths.push_back(static_cast<int>(value.size()));
  }
  if (PQsendQueryPrepared(connection_, step.sql->name, static_cast<int>(values.size()),
                          values.data(), lengths.data(), formats.data(), 1) != 1) {
    lost(PQerrorMessage(connection_));
  }
}

/// Reads while it writes: with both directions full, neither side would move otherwise.
void Session::flush(Time deadline) {
  for (;;) {
    const int left = PQflush(connection_);
    if (left == 0) return;
    if (left < 0) lost(PQerrorMessage(connection_));
    wait(POLLIN | POLLOUT, deadline);
    if (PQconsumeInput(connection_) != 1) lost(PQerrorMessage(connection_));
  }
}

PGresult* Session::next_result(Time deadline) {
  while (PQisBusy(connection_) == 1) {
    wait(POLLIN, deadline);
    if (PQconsumeInput(connection_) != 1) lost(PQerrorMessage(connection_));
  }
  PGresult* result = PQgetResult(connection_);
  if (PQstatus(connection_) == CONNECTION_BAD) {
    const std::string words =
        result == nullptr ? PQerrorMessage(connection_) : PQresultErrorMessage(result);
    PQclear(result);
    lost(words);
  }
  return result;
}

void Session::wait(short events, Time deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now()).count();
    if (left <= 0) lost("no answer in time");
    pollfd entry{PQsocket(connection_), events, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(std::min<std::int64_t>(left, 60'000)));
    if (ready > 0 || (ready < 0 && errno != EINTR)) return;
  }
}

void Session::lost(const std::string& what) {
  usable_ = false;
  throw SqlError(SqlError::kConnectionLost, what.empty() ? "the connection broke" : what);
}

namespace {

/// What the server said behind a Poco exception.
[[noreturn]] void raise(PGconn* connection, const Poco::Exception& error) {
  const bool bad = PQstatus(connection) == CONNECTION_BAD;
  const std::string& words = error.message();
  // Poco puts "… sql state: 42P01" into some messages and nothing into others.
  const std::size_t at = words.find("sql state: ");
  std::string state = at == std::string::npos ? std::string("XX000") : words.substr(at + 11, 5);
  throw SqlError(bad ? SqlError::kConnectionLost : std::move(state), words);
}

}  // namespace

void Session::execute(const std::string& sql) {
  // Several statements at once, which a prepared one can't be.
  const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection_, sql.c_str()),
                                                             &PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return;
  if (PQstatus(connection_) == CONNECTION_BAD) lost(PQerrorMessage(connection_));
  const char* state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
  throw SqlError(state == nullptr ? "XX000" : state, PQresultErrorMessage(result.get()));
}

std::string Session::text(const std::string& sql) {
  using Poco::Data::Keywords::into;
  using Poco::Data::Keywords::now;
  try {
    std::string value;
    owner_.session() << sql, into(value), now;
    return value;
  } catch (const Poco::Exception& error) {
    raise(connection_, error);
  }
}

}  // namespace vouch::postgres
