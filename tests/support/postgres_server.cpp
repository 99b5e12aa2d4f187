#include "postgres_server.h"

#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

#include "free_port.h"

namespace vouch::tests {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOwner =
    "postgres";  // who runs the private server when the tests run as root

std::string random_word() {
  static std::random_device device;
  char word[17];
  std::snprintf(word, sizeof word, "%08x%08x", device(), device());
  return word;
}

/// The directory of the newest installed server's programs; empty when there is none.
fs::path programs() {
  fs::path newest;
  std::error_code ignored;
  for (const auto& version : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
    const fs::path bin = version.path() / "bin";
    if (fs::exists(bin / "postgres") && bin > newest) newest = bin;
  }
  return newest;
}

std::vector<pid_t> children_of(pid_t parent) {
  const std::string id = std::to_string(parent);
  std::ifstream list("/proc/" + id + "/task/" + id + "/children");
  std::vector<pid_t> children;
  for (pid_t child = 0; list >> child;) children.push_back(child);
  return children;
}

}  // namespace

std::optional<PostgresAddress> PostgresAddress::of_environment() {
  const char* uri = std::getenv("VOUCH_TEST_POSTGRES");
  if (uri == nullptr || *uri == '\0') return std::nullopt;
  return parse(uri);
}

PostgresAddress PostgresAddress::parse(const std::string& uri) {
  PQconninfoOption* options = PQconninfoParse(uri.c_str(), nullptr);
  if (options == nullptr) throw std::runtime_error("VOUCH_TEST_POSTGRES is no URI");
  std::map<std::string, std::string> found;
  for (const PQconninfoOption* option = options; option->keyword != nullptr; ++option) {
    if (option->val != nullptr) found[option->keyword] = option->val;
  }
  PQconninfoFree(options);
  const int port = found["port"].empty() ? 5432 : std::stoi(found["port"]);
  return {found["host"], static_cast<std::uint16_t>(port), found["dbname"], found["user"],
          found["password"]};
}

std::string PostgresAddress::uri() const {
  return "postgresql://" + user + (password.empty() ? "" : ":" + password) + "@" + host + ":" +
         std::to_string(port) + "/" + database + (parameters.empty() ? "" : "?" + parameters);
}

PostgresSession::PostgresSession(const PostgresAddress& address)
    : connection_(PQconnectdb(address.uri().c_str())) {
  if (PQstatus(connection_) == CONNECTION_OK) {
    PQsetNoticeProcessor(
        connection_, [](void*, const char*) {}, nullptr);
    return;
  }
  const std::string said = PQerrorMessage(connection_);
  PQfinish(connection_);
  throw std::runtime_error(said);
}

std::string PostgresSession::run(const std::string& sql) {
  const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQexec(connection_, sql.c_str()),
                                                              PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
    throw std::runtime_error(PQerrorMessage(connection_));
  }
  if (PQntuples(result.get()) == 0 || PQnfields(result.get()) == 0) return {};
  return PQgetvalue(result.get(), 0, 0);
}

ScratchSchema::ScratchSchema(PostgresAddress address)
    : address_(std::move(address)), name_("vouch_test_" + random_word()) {}

ScratchSchema::~ScratchSchema() {
  try {
    PostgresSession(address_).run("DROP SCHEMA IF EXISTS " + name_ + " CASCADE");
  } catch (const std::runtime_error& error) {
    std::fprintf(stderr, "the schema %s stays: %s\n", name_.c_str(), error.what());
  }
}

bool PrivatePostgres::installed() {
  return !programs().empty() && (::geteuid() != 0 || ::getpwnam(kOwner) != nullptr);
}

PrivatePostgres::PrivatePostgres(const Configuration& configuration) {
  std::string path = (fs::temp_directory_path() / "vouch-postgres-XXXXXX").string();
  if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("no temporary directory");
  directory_ = path;
  if (::geteuid() == 0) {
    const passwd* owner = ::getpwnam(kOwner);
    if (::chown(path.c_str(), owner->pw_uid, owner->pw_gid) != 0) {
      throw std::runtime_error("can't give " + path + " to " + kOwner);
    }
  }
  address_ = {"127.0.0.1", free_port(), "postgres", "admin", "secret-of-admin"};
  std::ofstream(directory_ / "password") << address_.password << '\n';
  as_owner((programs() / "initdb").string() + " -D " + path + "/data -U admin --pwfile=" + path +
           "/password -A scram-sha-256 -E UTF8 --locale=C --no-sync > " + path +
           "/initdb.log 2>&1");
  configure({{"listen_addresses", "'127.0.0.1'"},
             {"port", std::to_string(address_.port)},
             {"unix_socket_directories", "'" + path + "'"},
             {"shared_buffers", "32MB"},
             {"max_connections", "60"}});
  configure(configuration);
  start();
}

PrivatePostgres::~PrivatePostgres() {
  kill();
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

void PrivatePostgres::configure(const Configuration& configuration) {
  std::ofstream file(directory_ / "data" / "postgresql.conf", std::ios::app);
  for (const auto& [key, value] : configuration) file << key << " = " << value << '\n';
}

void PrivatePostgres::start() {
  const std::string postgres = (programs() / "postgres").string();
  const std::string data = (directory_ / "data").string();
  const std::string log = (directory_ / "log").string();
  const passwd* owner = ::geteuid() == 0 ? ::getpwnam(kOwner) : nullptr;
  process_ = ::fork();
  if (process_ < 0) throw std::runtime_error("can't fork");
  if (process_ == 0) {
    const int to = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
    ::dup2(to, 1);
    ::dup2(to, 2);
    if (owner != nullptr && (::setgid(owner->pw_gid) != 0 || ::setuid(owner->pw_uid) != 0)) {
      ::_exit(1);
    }
    ::execl(postgres.c_str(), postgres.c_str(), "-D", data.c_str(), nullptr);
    ::_exit(1);
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!answers()) {
    const bool ended = ::waitpid(process_, nullptr, WNOHANG) != 0;
    if (ended || std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error("the private server did not start, see " + log);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

void PrivatePostgres::become_standby() {
  kill();
  // The log of an orderly life is there to be replayed; then it waits for more.
  std::ofstream(directory_ / "data" / "standby.signal").put('\n');
  start();
}

void PrivatePostgres::kill() {
  if (process_ < 0) return;
  std::vector<pid_t> family = children_of(process_);
  family.insert(family.begin(), process_);
  for (const pid_t one : family) ::kill(one, SIGKILL);
  ::waitpid(process_, nullptr, 0);
  // The others are not our children; the next start must not meet them.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  for (const pid_t one : family) {
    while (::kill(one, 0) == 0 && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
  process_ = -1;
}

void PrivatePostgres::as_owner(const std::string& command) const {
  const std::string prefix = ::geteuid() == 0 ? std::string("setpriv --reuid=") + kOwner +
                                                    " --regid=" + kOwner + " --clear-groups "
                                              : std::string();
  if (std::system((prefix + "sh -c '" + command + "'").c_str()) != 0) {
    throw std::runtime_error("failed: " + command);
  }
}

bool PrivatePostgres::answers() const {
  return PQping(address_.uri().c_str()) == PQPING_OK;
}

}  // namespace vouch::tests
