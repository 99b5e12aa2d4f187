#include "mysql_server.h"

#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
#include <thread>

#include "free_port.h"

namespace vouch::tests {
namespace {

namespace fs = std::filesystem;

constexpr const char* kAdministrator = "admin";

std::string random_word() {
  std::random_device device;
  return std::to_string(device()) + "_" + std::to_string(device() % 1'000);
}

std::string program(const std::string& name) {
  for (const char* directory : {"/usr/sbin/", "/usr/bin/", "/usr/local/bin/"}) {
    if (fs::exists(directory + name)) return directory + name;
  }
  return {};
}

/// Root must not run a server.
const passwd* owner() {
  if (::geteuid() != 0) return nullptr;
  const passwd* found = ::getpwnam("mysql");
  return found != nullptr ? found : ::getpwnam("nobody");
}

/// Starts a program as the server's owner; its output goes to `log`.
pid_t spawn(const std::vector<std::string>& command, const fs::path& log) {
  const passwd* const as = owner();
  std::vector<char*> arguments;
  for (const std::string& argument : command) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  // A server that starts removes the temporary tables of all others that share its directory for
  // them.
  const std::string temporary = "TMPDIR=" + log.parent_path().string();
  std::vector<char*> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (std::string_view(*entry).substr(0, 7) != "TMPDIR=") environment.push_back(*entry);
  }
  environment.push_back(const_cast<char*>(temporary.c_str()));
  environment.push_back(nullptr);
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("can't fork");
  if (child > 0) return child;
  const int to = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
  ::dup2(to, 1);
  ::dup2(to, 2);
  if (as != nullptr && (::setgid(as->pw_gid) != 0 || ::setuid(as->pw_uid) != 0)) ::_exit(1);
  ::execve(arguments[0], arguments.data(), environment.data());
  ::_exit(1);
}

std::string server_program() {
  const std::string found = program("mariadbd");
  return found.empty() ? program("mysqld") : found;
}

}  // namespace

std::optional<MysqlAddress> MysqlAddress::of_environment() {
  const char* given = std::getenv("VOUCH_TEST_MYSQL");
  if (given == nullptr || *given == '\0') return std::nullopt;
  // mysql://user:password@host:port/…, without anything encoded.
  std::string text = given;
  const std::runtime_error wrong("VOUCH_TEST_MYSQL must be mysql://user:password@host:port/");
  const std::string scheme = "mysql://";
  if (text.compare(0, scheme.size(), scheme) != 0) throw wrong;
  text = text.substr(scheme.size());
  text = text.substr(0, text.find('/'));
  const std::size_t at = text.rfind('@');
  const std::size_t password = text.find(':');
  const std::size_t port = text.rfind(':');
  if (at == std::string::npos || password >= at || port < at) throw wrong;
  return MysqlAddress{text.substr(at + 1, port - at - 1),
                      static_cast<std::uint16_t>(std::stoi(text.substr(port + 1))),
                      text.substr(0, password), text.substr(password + 1, at - password - 1)};
}

std::string MysqlAddress::uri(const std::string& database) const {
  return "mysql://" + user + ":" + password + "@" + host + ":" + std::to_string(port) + "/" +
         database;
}

MysqlSession::MysqlSession(const MysqlAddress& address, const std::string& database)
    : connection_(mysql_init(nullptr)) {
  const unsigned timeout = 10;
  mysql_optionsv(connection_, MYSQL_OPT_CONNECT_TIMEOUT, &timeout);
  if (mysql_real_connect(connection_, address.host.c_str(), address.user.c_str(),
                         address.password.c_str(), database.empty() ? nullptr : database.c_str(),
                         address.port, nullptr, 0) != nullptr) {
    return;
  }
  const std::string said = mysql_error(connection_);
  mysql_close(connection_);
  throw std::runtime_error(said);
}

std::vector<std::string> MysqlSession::column(const std::string& sql) {
  if (mysql_real_query(connection_, sql.data(), sql.size()) != 0) {
    throw std::runtime_error(std::string(mysql_error(connection_)) + " in " + sql);
  }
  std::vector<std::string> values;
  const std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> result(
      mysql_store_result(connection_), &mysql_free_result);
  if (result == nullptr) return values;
  while (MYSQL_ROW row = mysql_fetch_row(result.get())) {
    values.emplace_back(row[0] == nullptr ? "" : row[0]);
  }
  return values;
}

std::string MysqlSession::run(const std::string& sql) {
  const std::vector<std::string> values = column(sql);
  return values.empty() ? std::string() : values.front();
}

ScratchDatabase::ScratchDatabase(MysqlAddress address)
    : address_(std::move(address)), name_("vouch_test_" + random_word()) {
  MysqlSession(address_).run("CREATE DATABASE " + name_ + " CHARACTER SET utf8mb4");
}

ScratchDatabase::~ScratchDatabase() {
  try {
    MysqlSession(address_).run("DROP DATABASE IF EXISTS " + name_);
  } catch (const std::runtime_error& error) {
    std::fprintf(stderr, "the database %s stays: %s\n", name_.c_str(), error.what());
  }
}

bool PrivateMysql::installed() {
  return !server_program().empty() && !program("mariadb-install-db").empty();
}

PrivateMysql::PrivateMysql(std::vector<std::string> arguments) : arguments_(std::move(arguments)) {
  std::string path = (fs::temp_directory_path() / "vouch-mysql-XXXXXX").string();
  if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("no temporary directory");
  directory_ = path;
  if (const passwd* const as = owner();
      as != nullptr && ::chown(path.c_str(), as->pw_uid, as->pw_gid) != 0) {
    throw std::runtime_error("can't give " + path + " away");
  }
  address_ = {"127.0.0.1", free_port(), kAdministrator, "secret-of-admin"};
  install();
  start();
}

PrivateMysql::~PrivateMysql() {
  kill();
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

/// The system's tables; and what each start runs, so that an administrator may come over TCP.
void PrivateMysql::install() const {
  const fs::path first_steps = directory_ / "first_steps.sql";
  const std::string account = "'" + address_.user + "'@'127.0.0.1'";
  {
    const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(first_steps.c_str(), "w"), fclose);
    if (file == nullptr) throw std::runtime_error("can't write " + first_steps.string());
    std::fprintf(file.get(),
                 "CREATE USER IF NOT EXISTS %s IDENTIFIED BY '%s';\n"
                 "GRANT ALL ON *.* TO %s WITH GRANT OPTION;\n",
                 account.c_str(), address_.password.c_str(), account.c_str());
  }
  const fs::path data = directory_ / "data";
  const pid_t child =
      spawn({program("mariadb-install-db"), "--no-defaults", "--datadir=" + data.string(),
             "--auth-root-authentication-method=normal", "--skip-test-db"},
            directory_ / "install.log");
  int status = 0;
  ::waitpid(child, &status, 0);
  if (status == 0) return;
  throw std::runtime_error("mariadb-install-db failed, see " +
                           (directory_ / "install.log").string());
}

void PrivateMysql::start() {
  const std::string here = directory_.string();
  std::vector<std::string> command{server_program(),
                                   "--no-defaults",
                                   "--datadir=" + here + "/data",
                                   "--socket=" + here + "/socket",
                                   "--pid-file=" + here + "/pid",
                                   "--port=" + std::to_string(address_.port),
                                   "--bind-address=127.0.0.1",
                                   "--init-file=" + here + "/first_steps.sql",
                                   "--skip-name-resolve",
                                   "--server-id=1",
                                   "--innodb-flush-log-at-trx-commit=1",
                                   "--innodb-buffer-pool-size=64M",
                                   "--innodb-log-file-size=32M"};
  command.insert(command.end(), arguments_.begin(), arguments_.end());
  process_ = spawn(command, directory_ / "log");
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!answers()) {
    const bool ended = ::waitpid(process_, nullptr, WNOHANG) != 0;
    if (ended || std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error("the private server did not start, see " +
                               (directory_ / "log").string());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

void PrivateMysql::kill() {
  if (process_ < 0) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
  process_ = -1;
}

void PrivateMysql::freeze(bool frozen) const {
  ::kill(process_, frozen ? SIGSTOP : SIGCONT);
}

bool PrivateMysql::answers() const {
  try {
    const MysqlSession session(address_);
    return true;
  } catch (const std::runtime_error&) {
    return false;
  }
}

}  // namespace vouch::tests
