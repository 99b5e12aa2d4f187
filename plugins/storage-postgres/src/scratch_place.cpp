#include "scratch_place.h"

#include "session.h"

namespace vouch::postgres {

Status PostgresScratch::check_name() const {
  if (is_scratch_name(backend_.options.schema)) return {};
  return {StatusCode::failed_precondition,
          "the schema " + backend_.options.schema + " is not one of a trial's"};
}

/// `migrate` would make the schema too, and say less of the right that is missing.
Status PostgresScratch::make() {
  if (Status status = check_name(); !status.ok()) return status;
  std::string right;
  const Status status = backend_.run("making the trial's schema", [&]() -> Status {
    Session session(backend_.options, "vouch-prove");
    right = session.text(
        "SELECT format('GRANT CREATE ON DATABASE %I TO %I', current_database(), current_user)");
    session.execute("CREATE SCHEMA \"" + backend_.options.schema + '"');
    return {};
  });
  if (status.code() != StatusCode::permission_denied || right.empty()) return status;
  return {
      status.code(),
      status.message() + "; a trial has a schema of its own, for which the user needs: " + right};
}

Status PostgresScratch::remove() {
  if (Status status = check_name(); !status.ok()) return status;
  return backend_.run("removing the trial's schema", [&]() -> Status {
    Session session(backend_.options, "vouch-prove");
    session.execute("SET client_min_messages = warning");
    session.execute("DROP SCHEMA IF EXISTS \"" + backend_.options.schema + "\" CASCADE");
    return {};
  });
}

}  // namespace vouch::postgres
