#include "lane_writer.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "format/text_codec.h"
#include "format/validation_message.h"
#include "publish/publish_call.h"

namespace vouch::append {
namespace {

using std::chrono::steady_clock;

constexpr std::uint32_t kContendedAttempts = 8;
constexpr std::uint32_t kLostRaceAttempts = 64;

double seconds_since(steady_clock::time_point start) {
  return std::chrono::duration<double>(steady_clock::now() - start).count();
}

AppendCode code_for(const Status& status) {
  switch (status.code()) {
    case StatusCode::invalid_argument:
      return AppendCode::invalid;
    case StatusCode::too_large:
      return AppendCode::too_large;
    default:
      return AppendCode::storage_unavailable;
  }
}

/// Whether one append of a group can be the cause, so that its neighbours deserve a try without it.
bool may_be_one_appends_fault(const Status& status) {
  return status.code() == StatusCode::invalid_argument || status.code() == StatusCode::too_large ||
         status.code() == StatusCode::internal;
}

}  // namespace

LaneWriter::LaneWriter(LaneEnvironment environment, std::unique_ptr<Lane> lane)
    : env_(environment), lane_(std::move(lane)) {}

void LaneWriter::run() {
  while (!env_.give_up.load()) {
    AppendQueue::Taken taken = env_.queue.take();
    if (taken.group.empty()) return;
    write(std::move(taken.group));
  }
}

void LaneWriter::write(Group group) {
  prepare(group);

  Result<StagedGroup> staged = stage(group);
  if (!staged.ok()) return write_one_by_one(std::move(group), staged.status());
  if (staged->deliveries.empty()) {
    lane_->rollback();
    return answer_results(group, *staged);
  }

  if (const Status published = publish(*staged); !published.ok()) {
    lane_->rollback();
    forget_heads(group);
    env_.metrics.rolled_back.increment();
    answer_uncommitted(group, *staged, AppendCode::broker_unavailable, published);
    return env_.listener.ended(staged->token, false);
  }

  const CommitResult committed = commit(staged->token);
  switch (committed.outcome) {
    case CommitOutcome::committed:
      answer_results(group, *staged);
      env_.listener.written(std::move(group.appends), *staged);
      return env_.listener.ended(staged->token, true);
    case CommitOutcome::aborted:
      forget_heads(group);
      answer_uncommitted(group, *staged, AppendCode::storage_unavailable, committed.reason);
      return env_.listener.ended(staged->token, false);
    case CommitOutcome::unknown:
      forget_heads(group);
      return answer_uncommitted(group, *staged, AppendCode::commit_unknown, committed.reason);
  }
}

/// Gives events their ids, and writes their known heads.
void LaneWriter::prepare(Group& group) {
  heads_generation_ = env_.heads.generation();
  std::uint64_t events = 0;
  for (std::size_t i = 0; i < group.size(); ++i) {
    const Ticket& ticket = group.tickets[i];
    env_.metrics.queue_seconds.observe(seconds_since(ticket.taken));
    events += ticket.events;
    for (Write& write : group.appends[i].writes) {
      write.known_head =
          ticket.lost_races > 0 ? std::nullopt : env_.heads.find(write.partition, write.stream);
      for (NewEvent& event : write.events) {
        if (event.id == EventId{}) event.id = env_.ids.next();
      }
    }
  }
  env_.metrics.group_events.observe(static_cast<double>(events));
}

/// Events and ledger rows into an open transaction. After an error none is open.
Result<StagedGroup> LaneWriter::stage(Group& group) {
  const auto start = steady_clock::now();
  for (std::uint32_t attempt = 1;; ++attempt) {
    Result<StagedGroup> staged = lane_->stage(group.appends);
    if (staged.ok() && staged->results.size() != group.size()) {
      lane_->rollback();
      return Status(StatusCode::internal, "the storage staged a group and left results out");
    }
    if (staged.ok() || staged.status().code() != StatusCode::contended ||
        attempt == kContendedAttempts || env_.give_up.load()) {
      if (staged.ok()) follow_incarnation(staged->token);
      env_.metrics.stage_seconds.observe(seconds_since(start));
      return staged;
    }
    env_.metrics.contended.increment();
    for (Append& append : group.appends) {
      for (Write& write : append.writes) write.known_head.reset();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(attempt));
  }
}

/// One message for each partition touched, inside the open transaction; waits for all of them.
Status LaneWriter::publish(const StagedGroup& staged) {
  const auto start = steady_clock::now();
  static constexpr Header kJson{"content-type", "application/json"};
  std::vector<std::string> payloads;
  payloads.reserve(staged.deliveries.size());
  std::vector<Message> messages;
  messages.reserve(staged.deliveries.size());
  for (const Delivery& delivery : staged.deliveries) {
    payloads.push_back(format::write_validation_message(
        {env_.options.store, staged.token, delivery.id, delivery.events}));
    messages.push_back(
        {env_.options.validation_topic, delivery.id.partition, {}, {&kJson, 1}, payloads.back()});
  }
  const publish::PublishReport report =
      publish::publish_and_wait(env_.broker, messages, env_.options.publish_timeout, env_.give_up);
  env_.metrics.publish_seconds.observe(seconds_since(start));
  return report.problem.with_context("publish to the validation topic");
}

/// `committed` means durable; a lost answer is asked for, so that `unknown` means the database
/// can't be asked either.
CommitResult LaneWriter::commit(const Token& token) {
  const auto start = steady_clock::now();
  CommitResult result = lane_->commit();
  if (result.outcome == CommitOutcome::unknown) {
    env_.metrics.unknown_commits.increment();
    env_.services.logger().warning(
        "the answer of a commit was lost; asking the database",
        {{"tx", format::token_text(token)}, {"reason", result.reason.message()}});
    if (const auto outcome = ask_for_outcome(token)) result.outcome = *outcome;
  }
  env_.metrics.commit_seconds.observe(seconds_since(start));
  return result;
}

std::optional<CommitOutcome> LaneWriter::ask_for_outcome(const Token& token) {
  const auto deadline = steady_clock::now() + env_.options.resolve_timeout;
  std::chrono::milliseconds pause{2};
  while (true) {
    const Result<std::vector<Verdict>> verdicts = env_.storage.resolve({&token, 1});
    if (verdicts.ok() && verdicts->size() == 1) {
      switch (verdicts->front()) {
        case Verdict::committed:
          return CommitOutcome::committed;
        case Verdict::aborted:
          return CommitOutcome::aborted;
        case Verdict::forgotten:
          return std::nullopt;
        case Verdict::in_progress:
          ignore_status(env_.storage.fence(token), "only makes the next answer come sooner");
          break;
      }
    }
    if (env_.give_up.load() || steady_clock::now() + pause > deadline) return std::nullopt;
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds(200));
  }
}

void LaneWriter::answer_all(Group& group, AppendCode code, const Status& reason) {
  for (Ticket& ticket : group.tickets) finish(ticket, failed_answer(code, reason));
}

void LaneWriter::answer_results(Group& group, const StagedGroup& staged) {
  std::vector<PendingAppend> again;
  for (std::size_t i = 0; i < group.size(); ++i) {
    const StageResult& result = staged.results[i];
    remember_heads(group.appends[i], result);
    if (result.outcome == StageOutcome::lost_race &&
        ++group.tickets[i].lost_races < kLostRaceAttempts) {
      env_.metrics.lost_races.increment();
      again.push_back(group.take_out(i));
      continue;
    }
    finish(group.tickets[i], answer_of(group.appends[i], result, staged.token));
  }
  if (!again.empty()) env_.queue.put_back(std::move(again));
}

/// The group's transaction was not committed, or nobody knows. What was stored by an earlier one is
/// stored all the same; a conflict may have been one with a row of this transaction and says
/// nothing.
void LaneWriter::answer_uncommitted(Group& group, const StagedGroup& staged, AppendCode code,
                                    const Status& reason) {
  for (std::size_t i = 0; i < group.size(); ++i) {
    const StageResult& result = staged.results[i];
    const bool repeated = result.outcome == StageOutcome::duplicate;
    if (repeated && result.token != staged.token) {
      finish(group.tickets[i], answer_of(group.appends[i], result, staged.token));
      continue;
    }
    const bool in_doubt = code == AppendCode::commit_unknown;
    if (!in_doubt || (result.outcome != StageOutcome::staged && !repeated)) {
      finish(group.tickets[i],
             failed_answer(in_doubt ? AppendCode::storage_unavailable : code, reason));
      continue;
    }
    AppendAnswer answer = answer_of(group.appends[i], result, staged.token);
    answer.code = AppendCode::commit_unknown;
    answer.reason = reason;
    finish(group.tickets[i], std::move(answer));
  }
}

/// A group that could not be staged: if one append may be the cause, its neighbours are spared.
void LaneWriter::write_one_by_one(Group group, const Status& reason) {
  forget_heads(group);
  if (group.size() == 1 || !may_be_one_appends_fault(reason)) {
    return answer_all(group, code_for(reason), reason);
  }
  for (std::size_t i = 0; i < group.size(); ++i) {
    Group single;
    single.add(group.take_out(i));
    write(std::move(single));
  }
}

void LaneWriter::forget_heads(const Group& group) {
  for (const Append& append : group.appends) {
    for (const Write& write : append.writes) env_.heads.erase(write.partition, write.stream);
  }
}

/// The lane has a new session. The database behind it may be one that lost what was committed last
/// (a replica that took over, a restored backup): nothing that was remembered holds.
void LaneWriter::follow_incarnation(const Token& token) {
  const std::uint64_t incarnation = token.batch.value >> 32U;
  if (incarnation == incarnation_) return;
  incarnation_ = incarnation;
  env_.heads.clear();
  heads_generation_ = env_.heads.generation();
}

AppendAnswer LaneWriter::answer_of(const Append& append, const StageResult& result,
                                   const Token& token) {
  AppendAnswer answer;
  switch (result.outcome) {
    case StageOutcome::staged:
      answer.code = AppendCode::committed;
      answer.ranges = result.ranges;
      answer.token = token;
      answer.deliveries = result.deliveries;
      for (const Write& write : append.writes) {
        for (const NewEvent& event : write.events) answer.ids.push_back(event.id);
      }
      return answer;
    case StageOutcome::duplicate:
      answer.code = AppendCode::duplicate;
      answer.ranges = result.ranges;
      answer.token = result.token;
      answer.deliveries = result.deliveries;
      answer.ids = result.ids;
      return answer;
    case StageOutcome::wrong_version:
      answer.code = AppendCode::wrong_version;
      answer.reason = Status(StatusCode::failed_precondition, "the stream is at another version");
      answer.failed = result.failed;
      answer.actual = result.actual;
      return answer;
    case StageOutcome::key_reused:
      return failed_answer(
          AppendCode::key_reused,
          Status(StatusCode::already_exists, "the idempotency key was used for another request"));
    case StageOutcome::id_reused:
      return failed_answer(AppendCode::id_reused, Status(StatusCode::already_exists,
                                                         "an event id belongs to another event"));
    case StageOutcome::lost_race:
      return failed_answer(
          AppendCode::storage_unavailable,
          Status(StatusCode::contended, "other hosts write this stream too often; try again"));
  }
  return failed_answer(AppendCode::storage_unavailable,
                       Status(StatusCode::internal, "the storage gave an unknown outcome"));
}

void LaneWriter::remember_heads(const Append& append, const StageResult& result) {
  for (std::size_t i = 0; i < append.writes.size(); ++i) {
    const Write& write = append.writes[i];
    if (result.outcome == StageOutcome::staged && i < result.ranges.size()) {
      env_.heads.put(write.partition, write.stream, result.ranges[i].last, heads_generation_);
    } else if (result.outcome == StageOutcome::lost_race) {
      env_.heads.erase(write.partition, write.stream);
    }
  }
}

void LaneWriter::finish(Ticket& ticket, AppendAnswer answer) {
  switch (answer.code) {
    case AppendCode::committed:
      env_.metrics.committed_events.add(ticket.events);
      break;
    case AppendCode::duplicate:
      env_.metrics.duplicates.increment();
      break;
    case AppendCode::wrong_version:
      env_.metrics.conflicts.increment();
      break;
    default:
      env_.metrics.failed_appends.increment();
      break;
  }
  ticket.done(std::move(answer));
}

}  // namespace vouch::append
