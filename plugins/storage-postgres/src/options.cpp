#include "options.h"

#include <libpq-fe.h>

#include <cctype>
#include <memory>

namespace vouch::postgres {
namespace {

struct FreeConninfo {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

/// The parameters that `uri` names; `problem` says what is wrong with it, without its content.
std::map<std::string, std::string> parse(const std::string& uri, std::string& problem) {
  char* complaint = nullptr;
  const std::unique_ptr<PQconninfoOption, FreeConninfo> parsed(
      PQconninfoParse(uri.c_str(), &complaint));
  std::map<std::string, std::string> found;
  if (!parsed) {
    // libpq's complaint quotes the text, which may hold the password.
    problem = "is neither a postgresql:// URI nor key=value pairs as libpq takes them";
    PQfreemem(complaint);
    return found;
  }
  for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) found[option->keyword] = option->val;
  }
  return found;
}

bool is_name(const std::string& text) {
  if (text.empty() || text.size() > 63 || std::isdigit(static_cast<unsigned char>(text[0])) != 0) {
    return false;
  }
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_') return false;
  }
  return true;
}

std::chrono::milliseconds milliseconds_of(const Settings& settings, std::string_view key) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(settings.duration(key));
}

std::string value_or(const std::map<std::string, std::string>& map, const std::string& key,
                     const std::string& otherwise) {
  const auto found = map.find(key);
  return found == map.end() || found->second.empty() ? otherwise : found->second;
}

}  // namespace

std::string Options::place() const {
  const std::string host = value_or(connection, "host", value_or(connection, "hostaddr", "socket"));
  return host + ":" + value_or(connection, "port", "5432") + "/" +
         value_or(connection, "dbname", value_or(connection, "user", "")) + ", schema " + schema;
}

Options options_from(const Settings& settings) {
  Options options;
  std::string problem;
  options.connection = parse(settings.text("uri"), problem);
  options.schema = settings.text("schema");
  options.readers = static_cast<std::uint32_t>(settings.integer("readers"));
  options.connect_timeout = milliseconds_of(settings, "connect_timeout");
  options.statement_timeout = milliseconds_of(settings, "statement_timeout");
  options.lock_timeout = milliseconds_of(settings, "lock_timeout");
  options.idle_transaction_timeout = milliseconds_of(settings, "idle_transaction_timeout");
  options.lost_host_timeout = milliseconds_of(settings, "lost_host_timeout");
  return options;
}

void validate_settings(const Settings& settings, SettingProblems& problems) {
  if (settings.has("uri")) {
    std::string problem;
    const auto parameters = parse(settings.text("uri"), problem);
    if (!problem.empty()) problems.problem("uri", problem);
    for (const auto& [key, value] : parameters) {
      // Poco's connector takes the parameters apart at spaces.
      if (value.find(' ') != std::string::npos) {
        problems.problem("uri", "has a space in " + key +
                                    ", which can't be passed on; put that parameter into a "
                                    "libpq service file or a password file");
      }
      if (key == "options" || key == "replication") {
        problems.problem("uri", "sets " + key + ", which this plugin sets itself");
      }
    }
    if (problem.empty() && !parameters.contains("dbname")) {
      problems.problem("uri", "names no database");
    }
  }
  if (settings.has("schema") && !is_name(settings.text("schema"))) {
    problems.problem("schema", "must be a name of letters, digits and _, at most 63 of them");
  }
}

}  // namespace vouch::postgres
