// Connection: commands to one Redis and their replies, in the order sent. Bytes by hiredis
// (formatter and reader), transport by Socket and TlsSession. One thread.
#pragma once

#include <hiredis/hiredis.h>

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "options.h"
#include "refusal.h"
#include "socket.h"
#include "tls.h"
#include "vouch/status.h"

namespace broker_redis {

struct FreeReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, FreeReply>;

/// What a string, status or error reply says.
std::string_view text_of(const redisReply& reply);
inline bool is_error(const redisReply& reply) {
  return reply.type == REDIS_REPLY_ERROR;
}

class Connection {
 public:
  /// Connected, logged in, and not to a replica. `tls` may be null. Errors: unavailable,
  /// unauthenticated, permission_denied, failed_precondition, timeout, cancelled.
  static vouch::Result<std::unique_ptr<Connection>> open(const Options& options,
                                                         const TlsContext* tls,
                                                         const Address& address, const Wake& wake);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Adds a command to what will be sent.
  void add(std::initializer_list<std::string_view> words);
  void add(const std::vector<std::string_view>& words);
  /// Sends what was added. After an error of this or of `reply` the connection is of no use.
  vouch::Status flush(Deadline deadline);
  /// The next reply; one that is an error is a reply, too.
  vouch::Result<Reply> reply(Deadline deadline);
  /// One command and its reply.
  vouch::Result<Reply> ask(std::initializer_list<std::string_view> words, Deadline deadline);

  [[nodiscard]] const std::string& where() const { return where_; }

 private:
  struct FreeReader {
    void operator()(redisReader* reader) const { redisReaderFree(reader); }
  };
  explicit Connection(const Address& address);
  vouch::Status log_in(const Options& options, Deadline deadline);
  vouch::Status refuse_replica(Deadline deadline);

  const std::string where_;
  std::unique_ptr<Socket> socket_;
  std::unique_ptr<TlsSession> tls_;
  const std::unique_ptr<redisReader, FreeReader> reader_;
  std::string outgoing_;
  std::vector<char> incoming_;
};

}  // namespace broker_redis
