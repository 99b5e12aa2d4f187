#include "servers.h"

namespace broker_redis {

using vouch::Result;
using vouch::Status;
using vouch::StatusCode;

namespace {

bool says_more(const Status& one, const Status& other) {
  const auto out_of_reach = [](StatusCode code) {
    return code == StatusCode::unavailable || code == StatusCode::timeout;
  };
  return other.ok() || (out_of_reach(other.code()) && !out_of_reach(one.code()));
}

}  // namespace

Status Servers::open() {
  if (options_.tls == Tls::off || tls_ != nullptr) return {};
  auto made = TlsContext::make(options_);
  if (!made.ok()) return made.status();
  tls_ = *std::move(made);
  return {};
}

Result<std::unique_ptr<Connection>> Servers::connect(const Wake& wake) {
  const std::size_t count = options_.addresses.size();
  const std::size_t first = last_good_.load();
  Status worst;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t each = (first + i) % count;
    auto made = Connection::open(options_, tls_.get(), options_.addresses[each], wake);
    if (made.ok()) {
      last_good_ = each;
      return made;
    }
    if (made.status().code() == StatusCode::cancelled) return made.status();
    if (says_more(made.status(), worst)) worst = made.status();
  }
  return worst;
}

}  // namespace broker_redis
