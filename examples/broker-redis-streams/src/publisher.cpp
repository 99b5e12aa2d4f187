#include "publisher.h"

#include <algorithm>
#include <exception>
#include <set>

#include "vouch/thread_name.h"

namespace broker_redis {

using vouch::PublishOutcome;
using vouch::Result;
using vouch::Status;
using vouch::StatusCode;

namespace {

/// Of one transaction, beside the first message.
constexpr std::uint64_t kTransactionBytes = 4U << 20U;

constexpr std::string_view kProtocolError = "ERR Protocol error";

}  // namespace

Publisher::Publisher(const Options& options, Servers& servers, Topics& topics, Outbox& outbox,
                     DurabilityFound& durability, vouch::HostServices& services)
    : options_(options),
      servers_(servers),
      topics_(topics),
      outbox_(outbox),
      durability_(durability),
      services_(services),
      reconnects_(services.metrics().counter("vouch_broker_redis_streams_connections_lost_total",
                                             "Connections to Redis that broke.", {})),
      resent_(services.metrics().counter("vouch_broker_redis_streams_resent_total",
                                         "Messages that were sent again after a connection broke.",
                                         {})) {}

void Publisher::start() {
  if (thread_.joinable()) return;
  wake_.clear();
  thread_ = std::thread([this] {
    vouch::name_this_thread("redis_publish");
    run();
  });
}

void Publisher::stop() {
  wake_.set();
  if (thread_.joinable()) thread_.join();
}

void Publisher::run() {
  while (outbox_.running()) {
    Messages messages;
    try {
      if (connection_ == nullptr && !connect()) {
        outbox_.pause(backoff_.next());
        continue;
      }
      messages = outbox_.take(options_.window, kTransactionBytes, options_.keep_alive);
      if (messages.empty()) {
        keep_alive();
      } else {
        send(messages);
      }
    } catch (const std::exception& error) {
      // Of memory, or of a sink.
      keep_wanted(messages);
      outbox_.put_back(std::move(messages));
      drop(Status(StatusCode::internal, std::string("while publishing: ") + error.what()));
    }
  }
  connection_.reset();
}

bool Publisher::connect() {
  auto made = servers_.connect(wake_);
  Status status = made.status();
  if (made.ok()) {
    auto found = read_durability(**made, answer_by());
    status = found.ok() ? try_transactions(**made) : found.status();
    if (found.ok()) durability_.set(*found);
  }
  if (!status.ok()) {
    if (status.code() != StatusCode::cancelled && state_.failed(status)) {
      services_.logger().warning("Redis is out of reach for publishing",
                                 {{"error", status.message()}});
    }
    return false;
  }
  connection_ = *std::move(made);
  topics_.forget_confirmations();
  services_.logger().info("connected to Redis for publishing", {{"address", connection_->where()}});
  state_.connected(connection_->where());
  return true;
}

/// Without MULTI each XADD would be a command of its own.
Status Publisher::try_transactions(Connection& connection) {
  auto begun = connection.ask({"MULTI"}, answer_by());
  if (!begun.ok()) return begun.status();
  auto ended = connection.ask({"EXEC"}, answer_by());
  if (!ended.ok()) return ended.status();
  for (const Reply* each : {&*begun, &*ended}) {
    if (!is_error(**each)) continue;
    return refusal_of(text_of(**each), "begin a transaction at " + connection.where()).status;
  }
  return {};
}

void Publisher::drop(const Status& why) {
  connection_.reset();
  if (why.code() == StatusCode::cancelled) return;
  reconnects_.increment();
  if (state_.failed(why)) {
    services_.logger().warning("a connection to Redis broke", {{"error", why.message()}});
  }
  outbox_.pause(backoff_.next());
}

void Publisher::keep_alive() {
  auto answer = connection_->ask({"PING"}, answer_by());
  if (!answer.ok()) {
    drop(answer.status().with_context("lost Redis at " + connection_->where()));
    return;
  }
  if (!is_error(**answer)) return;
  const Refusal refusal = refusal_of(text_of(**answer), "PING");
  if (refusal.consequence == Consequence::reconnect) drop(refusal.status);
}

/// What has no outcome at the end goes back, and is sent again.
void Publisher::send(Messages& messages) {
  Status status = confirm_topics(messages);
  if (status.ok()) {
    keep_wanted(messages);
    if (!messages.empty()) status = transact(messages);
  }
  keep_wanted(messages);
  if (!status.ok()) {
    resent_.add(static_cast<double>(messages.size()));
    const std::string where = connection_->where();
    outbox_.put_back(std::move(messages));
    drop(status.with_context("lost Redis at " + where));
    return;
  }
  outbox_.put_back(std::move(messages));
  backoff_.reset();
}

void Publisher::keep_wanted(Messages& messages) {
  const auto rest = std::stable_partition(messages.begin(), messages.end(),
                                          [](const Outgoing& each) { return each.wanted(); });
  const Messages unwanted(std::make_move_iterator(rest), std::make_move_iterator(messages.end()));
  messages.erase(rest, messages.end());
  outbox_.done(unwanted);
}

Status Publisher::confirm_topics(Messages& messages) {
  std::set<std::string> asked;
  for (const Outgoing& message : messages) {
    if (!message.partition && !topics_.confirmed(message.topic)) asked.insert(message.topic);
  }
  if (asked.empty()) return {};
  auto answers = topics_.confirm(*connection_, {asked.begin(), asked.end()}, answer_by());
  if (!answers.ok()) return answers.status();
  for (const Topics::Answer& answer : *answers) {
    if (!answer.refusal) continue;
    for (const Outgoing& message : messages) {
      if (message.partition || message.topic != answer.topic) continue;
      if (Status status = settle(message, *answer.refusal); !status.ok()) return status;
    }
  }
  return {};
}

std::string Publisher::stream_of(const Outgoing& message) const {
  if (message.partition) return topics_.key_of(message.topic, *message.partition);
  const std::uint32_t count = topics_.confirmed(message.topic).value_or(1);
  return topics_.key_of(message.topic, vouch::partition_of(message.fields[1], count).value);
}

void Publisher::add_transaction(const Messages& messages) {
  const std::string lengths[] = {std::to_string(options_.max_length),
                                 std::to_string(options_.validation_max_length)};
  connection_->add({"MULTI"});
  for (const Outgoing& message : messages) {
    const std::string stream = stream_of(message);
    std::vector<std::string_view> words = {"XADD", stream};
    const std::string& length = lengths[message.partition ? 1 : 0];
    if (length != "0") words.insert(words.end(), {"MAXLEN", "~", length});
    words.emplace_back("*");
    words.insert(words.end(), message.fields.begin(), message.fields.end());
    connection_->add(words);
  }
  connection_->add({"EXEC"});
  if (options_.replicas > 0) {
    const std::string count = std::to_string(options_.replicas);
    const std::string wait = std::to_string(options_.command_timeout.count() / 2);
    connection_->add({"WAIT", count, wait});
  }
}

/// Errors: of the connection, or it is one to the wrong server; what has no outcome then may be
/// there or not.
Status Publisher::transact(Messages& messages) {
  const Deadline deadline = answer_by();
  add_transaction(messages);
  if (Status status = connection_->flush(deadline); !status.ok()) return status;
  Result<Reply> begun = connection_->reply(deadline);
  if (!begun.ok()) return begun.status();
  std::vector<Reply> queued;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    Result<Reply> reply = connection_->reply(deadline);
    if (!reply.ok()) return reply.status();
    if (text_of(**reply).starts_with(kProtocolError)) {
      // Redis takes no such message, and closes the connection: nothing of the transaction is done.
      const Refusal refusal = refusal_of(text_of(**reply), "add to " + stream_of(messages[i]));
      ignore_status(settle(messages[i], refusal), "the connection is closed in any case");
      return Status(StatusCode::unavailable, std::string(text_of(**reply)));
    }
    queued.push_back(*std::move(reply));
  }
  Result<Reply> executed = connection_->reply(deadline);
  if (!executed.ok()) return executed.status();
  if (is_error(**begun)) return refusal_of(text_of(**begun), "begin a transaction").status;
  if (is_error(**executed)) {
    Status status = settle_refused(messages, queued, **executed);
    if (options_.replicas == 0 || !status.ok()) return status;
    Result<Reply> waited = connection_->reply(deadline);
    return waited.status();
  }
  return settle_taken(messages, **executed, deadline);
}

/// Nothing was taken: what was refused by itself gets its outcome, the others are sent again.
Status Publisher::settle_refused(Messages& messages, const std::vector<Reply>& queued,
                                 const redisReply& executed) {
  bool any = false;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (!is_error(*queued[i])) continue;
    any = true;
    const Refusal refusal = refusal_of(text_of(*queued[i]), "add to " + stream_of(messages[i]));
    if (Status status = settle(messages[i], refusal); !status.ok()) return status;
  }
  if (any) return {};
  const Refusal refusal = refusal_of(text_of(executed), "add messages");
  for (const Outgoing& message : messages) {
    if (Status status = settle(message, refusal); !status.ok()) return status;
  }
  return {};
}

Status Publisher::settle_taken(Messages& messages, const redisReply& executed, Deadline deadline) {
  if (executed.type != REDIS_REPLY_ARRAY || executed.elements != messages.size()) {
    return Status(StatusCode::internal, "Redis answered EXEC with something else than its replies");
  }
  std::int64_t reached = 0;
  if (options_.replicas > 0) {
    Result<Reply> waited = connection_->reply(deadline);
    if (!waited.ok()) return waited.status();
    if ((*waited)->type == REDIS_REPLY_INTEGER) reached = (*waited)->integer;
  }
  const bool enough = reached >= static_cast<std::int64_t>(options_.replicas);
  const Status too_few(StatusCode::unavailable, std::to_string(reached) +
                                                    " replicas have the message, replicas is " +
                                                    std::to_string(options_.replicas));
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const redisReply& reply = *executed.element[i];
    if (is_error(reply)) {
      const Refusal refusal = refusal_of(text_of(reply), "add to " + stream_of(messages[i]));
      if (Status status = settle(messages[i], refusal); !status.ok()) return status;
    } else {
      messages[i].decide(enough ? PublishOutcome::acked : PublishOutcome::unknown,
                         enough ? Status() : too_few);
    }
  }
  if (enough) {
    state_.accepted();
  } else {
    state_.refused(too_few);
  }
  return {};
}

/// An error if the connection is of no use any more.
Status Publisher::settle(const Outgoing& message, const Refusal& refusal) {
  switch (refusal.consequence) {
    case Consequence::rejected:
      message.decide(PublishOutcome::rejected, refusal.status);
      return {};
    case Consequence::passing:
      state_.refused(refusal.status);
      message.decide(PublishOutcome::unknown, refusal.status);
      return {};
    case Consequence::reconnect:
      break;
  }
  return refusal.status;
}

Deadline Publisher::answer_by() const {
  return std::chrono::steady_clock::now() + options_.command_timeout;
}

}  // namespace broker_redis
