#include "errors.h"

#include <Poco/Exception.h>

#include <algorithm>
#include <array>
#include <new>

namespace vouch::mysql {

namespace {

/// What an error number means here. `{place}` and `{user}` stand for the database and the user.
struct Meaning {
  unsigned code;
  StatusCode status;
  const char* words;
};

// Numbers by name: mysqld_error.h and errmsg.h of the client library.
constexpr std::array kMeanings = std::to_array<Meaning>({
    {1020, StatusCode::contended, "a row of {place} changed meanwhile; nothing was written"},
    {1021, StatusCode::unavailable,
     "the server's disk is full ({place}); nothing was written; free some space"},
    {1026, StatusCode::unavailable,
     "the server can't write its files ({place}); look into its error log"},
    {1030, StatusCode::unavailable,
     "the server's storage engine failed ({place}); look into its error log"},
    {1040, StatusCode::unavailable,
     "the server of {place} has no session left; raise its max_connections or lower \"readers\""},
    {1041, StatusCode::unavailable, "the server of {place} is out of memory"},
    {1044, StatusCode::permission_denied,
     "the user {user} has no right to {place}; grant SELECT, INSERT, UPDATE, DELETE and CREATE on "
     "it, and check that it exists"},
    {1045, StatusCode::unauthenticated,
     "the server of {place} does not accept the user {user} with this password, from this host; "
     "check user and password"},
    {1049, StatusCode::failed_precondition,
     "there is no {place}; create it (CREATE DATABASE … CHARACTER SET utf8mb4) or correct the "
     "setting \"database\""},
    {1053, StatusCode::unavailable, "the server of {place} is stopping"},
    {1114, StatusCode::unavailable,
     "no space left for a table of {place}; nothing was written; free some space"},
    {1129, StatusCode::unavailable,
     "the server of {place} blocks this host after many failed connections; FLUSH HOSTS there"},
    {1130, StatusCode::unauthenticated,
     "the server of {place} does not let this host in; create the user {user} for it"},
    {1142, StatusCode::permission_denied,
     "the user {user} lacks a right on a table of {place}; grant SELECT, INSERT, UPDATE, DELETE "
     "and CREATE on the database"},
    {1143, StatusCode::permission_denied,
     "the user {user} lacks a right on a column of {place}; grant the rights on the database"},
    {1146, StatusCode::failed_precondition,
     "a table of the store is missing in {place}; restore it from a backup"},
    {1153, StatusCode::too_large,
     "more bytes in one statement than the server of {place} takes; raise its max_allowed_packet"},
    {1203, StatusCode::unavailable,
     "the user {user} has too many sessions on the server of {place}; raise max_user_connections "
     "or lower \"readers\""},
    {1205, StatusCode::contended,
     "another session's open transaction holds a row of {place}; nothing was written"},
    {1213, StatusCode::contended,
     "two transactions on {place} waited for each other; nothing was "
     "written"},
    {1226, StatusCode::unavailable,
     "the user {user} has used up a limit of the server of {place}; raise it"},
    {1227, StatusCode::permission_denied, "the user {user} lacks a right on the server of {place}"},
    {1290, StatusCode::unavailable,
     "the server of {place} is read-only; point the store to the primary, or set read_only off"},
    {1317, StatusCode::unavailable, "somebody ended a statement on {place}"},
    {1698, StatusCode::unauthenticated,
     "the server of {place} does not accept the user {user} with a password; give the user one"},
    {1792, StatusCode::unavailable,
     "{place} can't be written: transactions are read-only there; point the store to the primary"},
    {1836, StatusCode::unavailable,
     "the server of {place} is read-only now; point the store to the primary"},
    {1927, StatusCode::unavailable, "the server of {place} ended the session"},
    {1969, StatusCode::unavailable,
     "a statement on {place} ran longer than \"statement_timeout\" and was ended"},
    {2002, StatusCode::unavailable,
     "can't reach the server of {place}; is it running, and are host and port (or socket) right?"},
    {2003, StatusCode::unavailable,
     "can't reach the server of {place}; is it running, and are host and port right?"},
    {2005, StatusCode::unavailable, "nobody knows the host's name ({place}); check \"host\""},
    {2006, StatusCode::unavailable, "the session with the server of {place} is gone"},
    {2012, StatusCode::unavailable,
     "what answers at {place} does not speak MySQL's protocol, or refuses; check \"port\""},
    {2013, StatusCode::unavailable, "the connection to the server of {place} was lost"},
    {2026, StatusCode::unavailable,
     "no encrypted connection to the server of {place}; check the tls settings and the server's "
     "certificate"},
    {2027, StatusCode::unavailable,
     "what answers at {place} does not speak MySQL's protocol; "
     "check \"port\""},
    {2055, StatusCode::unavailable, "the connection to the server of {place} was lost"},
    {2059, StatusCode::unauthenticated,
     "the client library can't log in the way that the server of {place} asks of {user}; give the "
     "user another authentication plugin"},
    {3024, StatusCode::unavailable,
     "a statement on {place} ran longer than \"statement_timeout\" and was ended"},
    {3100, StatusCode::unavailable, "the server of {place} refused to write; look into its log"},
    {4031, StatusCode::unavailable, "the server of {place} ended an idle session"},
});

std::string filled(std::string_view words, const Options& options) {
  std::string out;
  while (!words.empty()) {
    const std::size_t open = words.find('{');
    out += words.substr(0, open);
    if (open == std::string_view::npos) break;
    words.remove_prefix(open);
    const bool place = words.starts_with("{place}");
    out += place ? options.place() : "'" + options.user + "'";
    words.remove_prefix(words.find('}') + 1);
  }
  return out;
}

bool of_client(unsigned code) {
  return (code >= 2000 && code < 3000) || (code >= 5000 && code < 6000);
}

}  // namespace

Status status_of(const SqlError& error, const Options& options) {
  const std::string said =
      " (" + std::to_string(error.code()) + ": " + std::string(error.what()) + ")";
  const auto* const found = std::ranges::find(kMeanings, error.code(), &Meaning::code);
  if (found != kMeanings.end()) return {found->status, filled(found->words, options) + said};
  if (of_client(error.code())) {
    return {StatusCode::unavailable, "the session with " + options.place() + " failed" + said};
  }
  return {StatusCode::internal, "an unexpected answer from " + options.place() + said};
}

bool breaks_session(const SqlError& error) {
  switch (error.code()) {
    case 1053:  // the server stops
    case 1317:  // interrupted: perhaps by a KILL of the session
    case 1927:  // killed
    case 4031:  // idle too long
      return true;
    default:
      return of_client(error.code());
  }
}

bool is_duplicate(const SqlError& error) {
  return error.code() == 1062 || error.code() == 1586;
}

Status status_of_current_exception(const Options& options) {
  try {
    throw;
  } catch (const StatusError& error) {
    return error.status();
  } catch (const SqlError& error) {
    return status_of(error, options);
  } catch (const Poco::Exception& error) {
    return {StatusCode::unavailable, options.place() + ": " + error.displayText()};
  } catch (const std::bad_alloc&) {
    return {StatusCode::unavailable, "out of memory"};
  } catch (const std::exception& error) {
    return {StatusCode::internal, error.what()};
  }
}

}  // namespace vouch::mysql
