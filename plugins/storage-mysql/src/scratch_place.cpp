#include "scratch_place.h"

#include <algorithm>

#include "session.h"

namespace vouch::mysql {

Status MysqlScratch::check_name() const {
  const std::string& name = backend_.options.database;
  // It stands between back-ticks in statements.
  if (is_scratch_name(name) && name.find('`') == std::string::npos) return {};
  return {StatusCode::failed_precondition, "the database " + name + " is not one of a trial's"};
}

Options MysqlScratch::without_database() const {
  Options options = backend_.options;
  options.database.clear();
  return options;
}

Status MysqlScratch::run(const char* doing, const std::string& sql) {
  if (Status status = check_name(); !status.ok()) return status;
  const Status status = backend_.run(doing, [&]() -> Status {
    Session session(without_database(), SessionRole::work);
    session.execute(sql);
    return {};
  });
  if (status.code() != StatusCode::permission_denied) return status;
  return {status.code(), status.message() +
                             "; a trial has a database of its own, for which the user "
                             "needs: GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP ON "
                             "`vouch\\_prove\\_%`.* TO " +
                             backend_.options.user};
}

Status MysqlScratch::make() {
  return run("making the trial's database",
             "CREATE DATABASE IF NOT EXISTS `" + backend_.options.database + "`");
}

Status MysqlScratch::remove() {
  return run("removing the trial's database",
             "DROP DATABASE IF EXISTS `" + backend_.options.database + "`");
}

}  // namespace vouch::mysql
