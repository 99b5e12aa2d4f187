// Session: one connection to the server with the variables of its role set, and its prepared
// statements. Connected, greeted and closed through Poco Data's SessionHandle; its own Session
// class is not used because its connection string can say neither TLS nor time-outs, and splits a
// password at a ";". Never reconnects by itself: a new session is a new object. One thread at a
// time.
#pragma once

#include <Poco/Data/MySQL/SessionHandle.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server.h"
#include "statement.h"

namespace vouch::mysql {

class Session {
 public:
  /// Connects. May block for `connect_timeout`. Throws SqlError, StatusError (the server is too
  /// old).
  Session(const Options& options, SessionRole role);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  /// Runs one statement given as text and drops its rows. Throws SqlError.
  void execute(std::string_view sql);
  /// The rows of one statement given as text; NULL is empty. For a few rows. Throws SqlError.
  std::vector<std::vector<std::string>> table(std::string_view sql);
  /// Prepared once for each text. Throws SqlError.
  Statement& prepared(std::string_view sql);

  [[nodiscard]] const Server& server() const { return server_; }
  /// The server's number for this session.
  [[nodiscard]] std::uint64_t id() const { return id_; }
  /// To wait on for what the server says unasked, which is only that the session ended.
  [[nodiscard]] int socket() const { return mysql_get_socket(handle_); }
  [[nodiscard]] MYSQL* handle() const { return handle_; }
  /// `text` as it may stand between single quotes.
  [[nodiscard]] std::string quoted(std::string_view text) const;

 private:
  void connect(const Options& options, SessionRole role);
  void keep_alive() const;
  void greet(const Options& options, SessionRole role);
  [[noreturn]] void fail() const;

  mutable Poco::Data::MySQL::SessionHandle poco_;
  MYSQL* handle_;
  Server server_;
  std::uint64_t id_ = 0;
  std::map<std::string, std::unique_ptr<Statement>, std::less<>> statements_;
};

}  // namespace vouch::mysql
