#include "session.h"

#include <Poco/Exception.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace vouch::mysql {

namespace {

/// mysql_library_init is not safe to race for (its manual page): once, before the first session.
void initialise_client() {
  static const bool done = mysql_server_init(0, nullptr, nullptr) == 0;
  if (!done) throw StatusError({StatusCode::internal, "the client library does not initialise"});
}

MYSQL* initialised(Poco::Data::MySQL::SessionHandle& handle) {
  return static_cast<MYSQL*>(handle);
}

void set_text(MYSQL* handle, mysql_option option, const std::string& value) {
  if (!value.empty()) mysql_optionsv(handle, option, value.c_str());
}

void set_tls(MYSQL* handle, const Options& options) {
  const my_bool enforce = options.tls == Tls::off ? 0 : 1;
  const my_bool verify = options.tls == Tls::verify_identity ? 1 : 0;
  mysql_optionsv(handle, MYSQL_OPT_SSL_ENFORCE, &enforce);
  mysql_optionsv(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
  set_text(handle, MYSQL_OPT_SSL_CA, options.tls_ca);
  set_text(handle, MYSQL_OPT_SSL_CERT, options.tls_certificate);
  set_text(handle, MYSQL_OPT_SSL_KEY, options.tls_key);
}

/// Longer than the server's own time-outs, which are to speak first; the keeper wants to know soon.
unsigned read_timeout(const Options& options, SessionRole role) {
  if (role == SessionRole::keeper) return 3;
  return static_cast<unsigned>(options.statement_timeout.count()) + 15;
}

}  // namespace

Session::Session(const Options& options, SessionRole role)
    : poco_((initialise_client(), nullptr)), handle_(initialised(poco_)) {
  connect(options, role);
  keep_alive();
  server_ = Server::from(mysql_get_server_info(handle_));
  if (Status supported = server_.supported(); !supported.ok()) throw StatusError(supported);
  greet(options, role);
}

// Before the connection goes.
Session::~Session() {
  statements_.clear();
}

void Session::connect(const Options& options, SessionRole role) {
  const auto connect_timeout = static_cast<unsigned>(options.connect_timeout.count());
  const unsigned timeout = read_timeout(options, role);
  mysql_optionsv(handle_, MYSQL_OPT_CONNECT_TIMEOUT, &connect_timeout);
  mysql_optionsv(handle_, MYSQL_OPT_READ_TIMEOUT, &timeout);
  mysql_optionsv(handle_, MYSQL_OPT_WRITE_TIMEOUT, &timeout);
  mysql_optionsv(handle_, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  mysql_optionsv(handle_, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "vouch");
  const my_bool off = 0;
  mysql_optionsv(handle_, MYSQL_OPT_RECONNECT, &off);
  unsigned protocol = MYSQL_PROTOCOL_TCP;
  if (!options.socket.empty()) {
    protocol = MYSQL_PROTOCOL_SOCKET;
    set_text(handle_, MARIADB_OPT_UNIXSOCKET, options.socket);
  }
  mysql_optionsv(handle_, MYSQL_OPT_PROTOCOL, &protocol);
  set_tls(handle_, options);
  try {
    poco_.connect(options.socket.empty() ? options.host.c_str() : "localhost", options.user.c_str(),
                  options.password.c_str(), options.database.c_str(), options.port);
  } catch (const Poco::Exception&) {
    fail();
  }
  // The client library goes on in the clear when a server does not offer TLS, whatever it was told.
  if (options.tls != Tls::off && mysql_get_ssl_cipher(handle_) == nullptr) {
    throw StatusError({StatusCode::unavailable,
                       "the server of " + options.place() +
                           " does not offer encryption, which the setting \"tls\" requires"});
  }
}

void Session::keep_alive() const {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return;
  if (address.ss_family == AF_UNIX) return;
  const auto set = [this](int level, int option, int value) {
    // Only shortens how long a vanished server stays unnoticed; statements have time-outs.
    static_cast<void>(::setsockopt(socket(), level, option, &value, sizeof value));
  };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 10);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set(IPPROTO_TCP, TCP_KEEPCNT, 3);
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, 30'000);
}

void Session::greet(const Options& options, SessionRole role) {
  for (const std::string& sql : server_.greeting(role, options)) execute(sql);
  const auto row = table("SELECT CONNECTION_ID()");
  id_ = std::stoull(row.at(0).at(0));
}

void Session::fail() const {
  throw SqlError(mysql_errno(handle_), mysql_error(handle_));
}

void Session::execute(std::string_view sql) {
  static_cast<void>(table(sql));
}

std::vector<std::vector<std::string>> Session::table(std::string_view sql) {
  if (mysql_real_query(handle_, sql.data(), sql.size()) != 0) fail();
  std::vector<std::vector<std::string>> rows;
  const std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> result(mysql_store_result(handle_),
                                                                        &mysql_free_result);
  if (result == nullptr) {
    if (mysql_field_count(handle_) != 0) fail();
    return rows;
  }
  const unsigned columns = mysql_num_fields(result.get());
  while (MYSQL_ROW row = mysql_fetch_row(result.get())) {
    const unsigned long* const lengths = mysql_fetch_lengths(result.get());
    auto& values = rows.emplace_back();
    for (unsigned i = 0; i < columns; ++i) {
      values.emplace_back(row[i] == nullptr ? "" : row[i], row[i] == nullptr ? 0 : lengths[i]);
    }
  }
  return rows;
}

Statement& Session::prepared(std::string_view sql) {
  const auto found = statements_.find(sql);
  if (found != statements_.end()) return *found->second;
  auto statement = std::make_unique<Statement>(handle_, sql);
  return *statements_.emplace(std::string(sql), std::move(statement)).first->second;
}

std::string Session::quoted(std::string_view text) const {
  std::string out(2 * text.size() + 1, '\0');
  out.resize(mysql_real_escape_string(handle_, out.data(), text.data(), text.size()));
  return out;
}

}  // namespace vouch::mysql
