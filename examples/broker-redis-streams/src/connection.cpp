#include "connection.h"

#include <new>

namespace broker_redis {

using vouch::Result;
using vouch::Status;
using vouch::StatusCode;

namespace {

constexpr std::size_t kReadBytes = 65'536;
constexpr std::size_t kKeptBytes = 1U << 20U;  ///< of a buffer that was large once

}  // namespace

std::string_view text_of(const redisReply& reply) {
  return reply.str == nullptr ? std::string_view() : std::string_view(reply.str, reply.len);
}

Connection::Connection(const Address& address)
    : where_(address.text()), reader_(redisReaderCreate()), incoming_(kReadBytes) {
  if (reader_ == nullptr) throw std::bad_alloc();
}

Result<std::unique_ptr<Connection>> Connection::open(const Options& options, const TlsContext* tls,
                                                     const Address& address, const Wake& wake) {
  const Deadline deadline = std::chrono::steady_clock::now() + options.connect_timeout;
  std::unique_ptr<Connection> made(new Connection(address));
  const std::string context = "can't use Redis at " + made->where_;
  const auto redirect = options.connect_to.find(made->where_);
  auto socket = Socket::connect(redirect == options.connect_to.end() ? address : redirect->second,
                                deadline, wake);
  if (!socket.ok()) return socket.status().with_context("can't reach Redis at " + made->where_);
  made->socket_ = *std::move(socket);
  if (tls != nullptr) {
    auto session = TlsSession::start(*tls, *made->socket_, address.host, deadline);
    if (!session.ok()) return session.status().with_context(context);
    made->tls_ = *std::move(session);
  }
  if (Status status = made->log_in(options, deadline); !status.ok()) {
    return status.with_context(context);
  }
  if (Status status = made->refuse_replica(deadline); !status.ok()) {
    return status.with_context(context);
  }
  return made;
}

Status Connection::log_in(const Options& options, Deadline deadline) {
  if (!options.password.empty()) {
    const std::string_view user = options.user.empty() ? "default" : std::string_view(options.user);
    auto answer = options.user.empty() ? ask({"AUTH", options.password}, deadline)
                                       : ask({"AUTH", user, options.password}, deadline);
    if (!answer.ok()) return answer.status();
    if (is_error(**answer)) {
      Refusal refusal = refusal_of(text_of(**answer), "log in as " + std::string(user));
      // A server without passwords, or before version 6, says no more than ERR.
      if (text_of(**answer).starts_with("ERR ")) {
        return Status(StatusCode::unauthenticated, refusal.status.message());
      }
      return refusal.status;
    }
  }
  auto alive = ask({"PING"}, deadline);
  if (!alive.ok()) return alive.status();
  if (is_error(**alive)) {
    const Refusal refusal = refusal_of(text_of(**alive), "begin");
    // Without the right to PING one may still have all others.
    if (refusal.status.code() != StatusCode::permission_denied ||
        refusal.consequence == Consequence::reconnect) {
      return refusal.status;
    }
  }
  // For CLIENT LIST; nothing depends on it.
  auto named = ask({"CLIENT", "SETNAME", "vouch"}, deadline);
  return named.ok() ? Status() : named.status();
}

Status Connection::refuse_replica(Deadline deadline) {
  auto role = ask({"ROLE"}, deadline);
  if (!role.ok()) return role.status();
  const redisReply& answer = **role;
  // Who may not ask hears of it at the first write.
  if (answer.type != REDIS_REPLY_ARRAY || answer.elements == 0) return {};
  if (text_of(*answer.element[0]) != "slave") return {};
  return Status(StatusCode::unavailable,
                "it is a replica: name the primary in 'addresses', or promote this one");
}

void Connection::add(std::initializer_list<std::string_view> words) {
  add(std::vector<std::string_view>(words));
}

void Connection::add(const std::vector<std::string_view>& words) {
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  texts.reserve(words.size());
  sizes.reserve(words.size());
  for (const std::string_view word : words) {
    texts.push_back(word.empty() ? "" : word.data());
    sizes.push_back(word.size());
  }
  char* command = nullptr;
  const int size =
      redisFormatCommandArgv(&command, static_cast<int>(words.size()), texts.data(), sizes.data());
  if (size < 0) throw std::bad_alloc();
  outgoing_.append(command, static_cast<std::size_t>(size));
  redisFreeCommand(command);
}

Status Connection::flush(Deadline deadline) {
  Status status =
      tls_ != nullptr ? tls_->write(outgoing_, deadline) : socket_->write(outgoing_, deadline);
  outgoing_.clear();
  if (outgoing_.capacity() > kKeptBytes) outgoing_.shrink_to_fit();
  return status;
}

Result<Reply> Connection::reply(Deadline deadline) {
  while (true) {
    void* found = nullptr;
    if (redisReaderGetReply(reader_.get(), &found) != REDIS_OK) {
      return Status(StatusCode::unavailable,
                    "this is not Redis, or not its protocol: " + std::string(reader_->errstr));
    }
    if (found != nullptr) return Reply(static_cast<redisReply*>(found));
    const Result<std::size_t> count =
        tls_ != nullptr ? tls_->read(incoming_, deadline) : socket_->read(incoming_, deadline);
    if (!count.ok()) return count.status();
    if (redisReaderFeed(reader_.get(), incoming_.data(), *count) != REDIS_OK) {
      throw std::bad_alloc();
    }
  }
}

Result<Reply> Connection::ask(std::initializer_list<std::string_view> words, Deadline deadline) {
  add(words);
  if (Status status = flush(deadline); !status.ok()) return status;
  return reply(deadline);
}

}  // namespace broker_redis
