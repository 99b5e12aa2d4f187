#include "scratch_place.h"

#include "session.h"

namespace vouch::postgres {

Status PostgresScratch::check_name() const {
  if (is_scratch_name(backend_.options.schema)) return {};
  return {StatusCode::failed_precondition,
          "the schema " + backend_.options.schema + " is not one of a trial's"};
}

/// `migrate` makes the schema.
Status PostgresScratch::make() {
  return check_name();
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
