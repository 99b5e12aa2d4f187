#include "reader.h"

#include <algorithm>
#include <exception>

#include "vouch/thread_name.h"

namespace broker_redis {

using vouch::Result;
using vouch::Status;
using vouch::StatusCode;

namespace {

/// How long one read waits in Redis. A subscription that is new begins to be read after this at the
/// latest; sooner if the user may CLIENT UNBLOCK.
constexpr std::chrono::milliseconds kLongestRead{1'000};
constexpr std::chrono::seconds kRefusedPause{1};

}  // namespace

Reader::Reader(const Options& options, Servers& servers, vouch::HostServices& services)
    : options_(options), servers_(servers), services_(services) {}

void Reader::start() {
  if (thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    running_ = true;
  }
  wake_.clear();
  thread_ = std::thread([this] {
    vouch::name_this_thread("redis_read");
    run();
  });
}

void Reader::stop() {
  {
    const std::lock_guard lock(mutex_);
    running_ = false;
  }
  work_.notify_all();
  wake_.set();
  if (thread_.joinable()) thread_.join();
}

void Reader::follow(const FollowerPtr& follower) {
  {
    const std::lock_guard lock(mutex_);
    followers_.push_back(follower);
  }
  work_.notify_all();
}

void Reader::leave(const FollowerPtr& follower) {
  std::unique_lock lock(mutex_);
  follower->stopped = true;
  std::erase(followers_, follower);
  idle_.wait(lock, [&] { return delivering_ != follower.get(); });
}

void Reader::begin_at(const FollowerPtr& follower, EntryId position) {
  const std::lock_guard lock(mutex_);
  if (!follower->position) follower->position = position;
}

std::string Reader::client_id() const {
  const std::lock_guard lock(mutex_);
  return client_id_;
}

bool Reader::has_followers() const {
  const std::lock_guard lock(mutex_);
  return !followers_.empty();
}

std::vector<FollowerPtr> Reader::take_followers() {
  std::unique_lock lock(mutex_);
  // Without followers nothing happens on the connection, which Redis or a router may close.
  work_.wait(lock, [this] { return !running_ || !followers_.empty(); });
  return running_ ? followers_ : std::vector<FollowerPtr>();
}

void Reader::run() {
  while (true) {
    const std::vector<FollowerPtr> followers = take_followers();
    if (followers.empty()) break;
    try {
      if (connection_ == nullptr && !connect()) {
        pause(backoff_.next());
        continue;
      }
      Status status = look(followers);
      if (status.ok()) status = read(streams_of(followers));
      if (status.ok()) {
        backoff_.reset();
      } else {
        drop(status);
      }
    } catch (const std::exception& error) {
      drop(Status(StatusCode::internal, std::string("while reading: ") + error.what()));
    }
  }
  connection_.reset();
}

bool Reader::connect() {
  auto made = servers_.connect(wake_);
  if (!made.ok()) {
    if (made.status().code() != StatusCode::cancelled && state_.failed(made.status())) {
      services_.logger().warning("Redis is out of reach for reading",
                                 {{"error", made.status().message()}});
    }
    return false;
  }
  connection_ = *std::move(made);
  const auto deadline = std::chrono::steady_clock::now() + options_.command_timeout;
  auto id = connection_->ask({"CLIENT", "ID"}, deadline);
  if (!id.ok()) {
    drop(id.status());
    return false;
  }
  {
    const std::lock_guard lock(mutex_);
    client_id_ = (*id)->type == REDIS_REPLY_INTEGER ? std::to_string((*id)->integer) : "";
  }
  look_at_all_ = true;
  services_.logger().info("connected to Redis for reading", {{"address", connection_->where()}});
  state_.connected(connection_->where());
  return true;
}

void Reader::drop(const Status& why) {
  connection_.reset();
  {
    const std::lock_guard lock(mutex_);
    client_id_.clear();
  }
  lagging_.clear();
  if (why.code() == StatusCode::cancelled) return;
  if (state_.failed(why)) {
    services_.logger().warning("a connection to Redis broke", {{"error", why.message()}});
  }
  pause(backoff_.next());
}

void Reader::pause(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  work_.wait_for(lock, time, [this] { return !running_; });
}

Status Reader::look(const std::vector<FollowerPtr>& followers) {
  const auto now = std::chrono::steady_clock::now();
  const bool refused_too = look_at_all_ || now >= next_look_;
  if (refused_too) next_look_ = now + kRefusedPause;
  std::vector<std::pair<FollowerPtr, std::optional<EntryId>>> looked_at;
  {
    const std::lock_guard lock(mutex_);
    for (const FollowerPtr& each : followers) {
      const bool lags = std::find(lagging_.begin(), lagging_.end(), each) != lagging_.end();
      const bool new_or_lost = each->refused ? refused_too : !each->position;
      if (look_at_all_ || lags || new_or_lost) looked_at.emplace_back(each, each->position);
    }
  }
  lagging_.clear();
  if (!looked_at.empty()) {
    for (const auto& [each, asked_at] : looked_at) {
      connection_->add({"XRANGE", each->key, "-", "+", "COUNT", "1"});
      connection_->add({"XREVRANGE", each->key, "+", "-", "COUNT", "1"});
    }
    const Deadline deadline = now + options_.command_timeout;
    if (Status status = connection_->flush(deadline); !status.ok()) return status;
    for (const auto& [each, asked_at] : looked_at) {
      const Result<Reply> first = connection_->reply(deadline);
      if (!first.ok()) return first.status();
      const Result<Reply> last = connection_->reply(deadline);
      if (!last.ok()) return last.status();
      place(*each, asked_at, **first, **last);
    }
  }
  look_at_all_ = false;
  return {};
}

void Reader::place(Follower& follower, const std::optional<EntryId>& asked_at,
                   const redisReply& first, const redisReply& last) {
  if (is_error(first) || is_error(last)) {
    const std::string_view error = text_of(is_error(first) ? first : last);
    const Refusal refusal = refusal_of(error, "read " + follower.key);
    state_.refused(refusal.status);
    if (!follower.refused) {
      services_.logger().error("a subscription can't be read",
                               {{"error", refusal.status.message()}});
    }
    const std::lock_guard lock(mutex_);
    follower.refused = true;
    return;
  }
  bool gap = false;
  {
    const std::lock_guard lock(mutex_);
    follower.refused = false;
    // Who subscribes may have said meanwhile where it begins, and knows better than these answers.
    if (follower.position == asked_at) {
      const Place place = place_after(asked_at, first_id_of(first), first_id_of(last));
      follower.position = place.position;
      gap = place.gap;
    }
  }
  if (gap) tell(follower, [](vouch::MessageSink& sink) { sink.gap(); });
}

Reader::Streams Reader::streams_of(const std::vector<FollowerPtr>& followers) const {
  Streams streams;
  const std::lock_guard lock(mutex_);
  for (const FollowerPtr& each : followers) {
    if (each->refused || !each->position || each->stopped) continue;
    Stream& stream = streams[each->key];
    stream.from =
        stream.followers.empty() ? *each->position : std::min(stream.from, *each->position);
    stream.followers.push_back(each);
  }
  return streams;
}

Status Reader::read(const Streams& streams) {
  const auto longest = std::min(kLongestRead, options_.keep_alive);
  if (streams.empty()) {
    pause(longest);
    return {};
  }
  const std::string count = std::to_string(options_.fetch_messages);
  const std::string block = std::to_string(longest.count());
  std::vector<std::string_view> words = {"XREAD", "COUNT", count, "BLOCK", block, "STREAMS"};
  std::vector<std::string> ids;
  ids.reserve(streams.size());
  for (const auto& [key, stream] : streams) {
    words.emplace_back(key);
    ids.push_back(stream.from.text());
  }
  words.insert(words.end(), ids.begin(), ids.end());
  const auto deadline = std::chrono::steady_clock::now() + longest + options_.command_timeout;
  connection_->add(words);
  if (Status status = connection_->flush(deadline); !status.ok()) return status;
  const Result<Reply> reply = connection_->reply(deadline);
  if (!reply.ok()) return reply.status();
  const redisReply& answer = **reply;
  if (is_error(answer)) {
    const Refusal refusal = refusal_of(text_of(answer), "read subscriptions");
    if (refusal.consequence == Consequence::reconnect) return refusal.status;
    look_at_all_ = true;  // says which of them it is
    state_.refused(refusal.status);
    pause(kRefusedPause);
    return {};
  }
  if (answer.type != REDIS_REPLY_ARRAY) return {};  // nothing came
  for (std::size_t i = 0; i < answer.elements; ++i) {
    const redisReply& part = *answer.element[i];
    if (part.type != REDIS_REPLY_ARRAY || part.elements != 2) continue;
    const auto found = streams.find(std::string(text_of(*part.element[0])));
    if (found != streams.end()) deliver(found->second, *part.element[1]);
  }
  return {};
}

void Reader::deliver(const Stream& stream, const redisReply& entries) {
  if (entries.type != REDIS_REPLY_ARRAY) return;
  for (std::size_t i = 0; i < entries.elements; ++i) {
    const redisReply& entry = *entries.element[i];
    if (entry.type != REDIS_REPLY_ARRAY || entry.elements != 2) continue;
    const auto id = EntryId::parse(text_of(*entry.element[0]));
    if (!id) continue;
    for (const FollowerPtr& follower : stream.followers) {
      deliver(*follower, *id, *entry.element[1]);
    }
  }
  if (entries.elements < options_.fetch_messages) return;
  lagging_.insert(lagging_.end(), stream.followers.begin(), stream.followers.end());
}

void Reader::deliver(Follower& follower, EntryId id, const redisReply& fields) {
  {
    const std::lock_guard lock(mutex_);
    if (follower.position && *follower.position >= id) return;
    follower.position = id;
  }
  const auto entry = entry_of(fields);
  if (!entry) return;  // of somebody else
  tell(follower, [&](vouch::MessageSink& sink) {
    sink.message({follower.topic, follower.partition, entry->key, entry->headers, entry->payload});
  });
}

template <typename Call>
void Reader::tell(Follower& follower, Call call) {
  {
    const std::lock_guard lock(mutex_);
    if (follower.stopped || !running_) return;
    delivering_ = &follower;
  }
  try {
    call(follower.sink);
  } catch (const std::exception& error) {
    // The thread serves the other subscribers too and must outlive one broken sink.
    services_.logger().error("a subscriber threw while it took a message",
                             {{"topic", follower.topic}, {"error", error.what()}});
  }
  {
    const std::lock_guard lock(mutex_);
    delivering_ = nullptr;
  }
  idle_.notify_all();
}

}  // namespace broker_redis
