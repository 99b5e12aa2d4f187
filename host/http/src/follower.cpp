#include "follower.h"

#include <sys/socket.h>

#include <cerrno>

#include "response_writer.h"

namespace vouch::http {

Follower::Follower(std::uint64_t number, const Poco::Net::StreamSocket& socket, FollowStart start,
                   std::string head, bool chunked)
    : id(number),
      format(start.format),
      filter(std::move(start.filter)),
      after(std::move(start.after)),
      socket_(socket),
      chunked_(chunked),
      out_(std::move(head)) {}

void Follower::append(std::string_view text) {
  if (sent_ > kFollowerLowBytes) {
    out_.erase(0, sent_);
    sent_ = 0;
  }
  if (chunked_) {
    append_chunk(out_, text);
  } else {
    out_ += text;
  }
}

bool Follower::flush() {
  while (sent_ < out_.size()) {
    const ssize_t sent =
        ::send(descriptor(), out_.data() + sent_, out_.size() - sent_, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) {
      sent_ += static_cast<std::size_t>(sent);
    } else if (errno != EINTR) {
      return errno == EAGAIN || errno == EWOULDBLOCK;
    }
  }
  out_.clear();
  if (out_.capacity() > kFollowerLowBytes) out_.shrink_to_fit();
  sent_ = 0;
  return true;
}

void Follower::end() {
  if (chunked_) out_ += kLastChunk;
  flush();
  ::shutdown(descriptor(), SHUT_WR);
}

}  // namespace vouch::http
