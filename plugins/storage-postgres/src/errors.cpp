#include "errors.h"

#include <Poco/Exception.h>

#include <algorithm>

namespace vouch::postgres {
namespace {

struct Meaning {
  std::string_view states;  ///< the beginning of a SQLSTATE
  StatusCode code;
  std::string_view words;
};

constexpr Meaning kMeanings[] = {
    {"28P01", StatusCode::unauthenticated, "the password or the user is not accepted"},
    {"28", StatusCode::unauthenticated, "the server does not let this user in (pg_hba.conf)"},
    {"3D000", StatusCode::failed_precondition, "there is no such database; create it"},
    {"3F000", StatusCode::failed_precondition, "there is no such schema; create it"},
    {"42501", StatusCode::permission_denied,
     "the user lacks a right; docs/schema.md lists the rights that are needed"},
    {"53100", StatusCode::unavailable, "the server's disk is full; free some space"},
    {"53300", StatusCode::unavailable, "the server has no connection left (max_connections)"},
    {"53", StatusCode::unavailable, "the server is short of resources"},
    {"25006", StatusCode::failed_precondition,
     "the server is read-only (a replica?); name the primary"},
    {"40P01", StatusCode::contended, "deadlock with another host"},
    {"40001", StatusCode::contended, "conflict with another transaction"},
    {"55P03", StatusCode::contended, "another host's transaction holds the stream for too long"},
    {"57P03", StatusCode::unavailable, "the server is starting up or shutting down"},
    {"57P", StatusCode::unavailable, "the server ended the session"},
    {"57014", StatusCode::timeout, "the statement took too long (statement_timeout)"},
    {"25P03", StatusCode::unavailable, "the server ended a transaction that stood still"},
    {"25P02", StatusCode::unavailable, "the transaction failed before"},
    {"54", StatusCode::too_large, "a limit of the server is exceeded"},
    {"22021", StatusCode::invalid_argument, "a text holds bytes that the database can't keep"},
    {"22", StatusCode::invalid_argument, "the server refuses a value"},
    {"XX001", StatusCode::corrupt, "the database is damaged; restore it from a backup"},
    {"XX002", StatusCode::corrupt, "an index is damaged; rebuild it (REINDEX)"},
    {"58", StatusCode::unavailable, "the server can't read or write its files"},
    {SqlError::kConnectionLost, StatusCode::unavailable,
     "the connection can't be made or was lost"},
};

std::string one_line(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

Status status_of(const SqlError& error, std::string_view place) {
  const auto meaning = std::ranges::find_if(kMeanings, [&](const Meaning& candidate) {
    return error.state().starts_with(candidate.states);
  });
  const bool known = meaning != std::ranges::end(kMeanings);
  const StatusCode code = known ? meaning->code : StatusCode::internal;
  const std::string words(known ? meaning->words : "the server reports an unexpected error");
  return {code,
          std::string(place) + ": " + words + " (PostgreSQL: " + one_line(error.what()) + ")"};
}

bool breaks_session(const SqlError& error) {
  return error.connection_lost() || error.state().starts_with("57P") ||
         error.state().starts_with("08") || error.state() == "25P03";
}

Status status_of_current_exception(std::string_view place) {
  try {
    throw;
  } catch (const StatusError& error) {
    return error.status();
  } catch (const SqlError& error) {
    return status_of(error, place);
  } catch (const Poco::Exception& error) {
    return {StatusCode::unavailable, std::string(place) + ": " + one_line(error.displayText())};
  } catch (const std::exception& error) {
    return {StatusCode::internal, std::string(place) + ": " + error.what()};
  }
}

}  // namespace vouch::postgres
