#include "topics.h"

#include <charconv>

namespace broker_redis {

using vouch::Result;
using vouch::Status;
using vouch::StatusCode;

namespace {

/// With topics that are named after streams there is no end to them; what is forgotten is asked for
/// again.
constexpr std::size_t kMostRemembered = 100'000;

std::optional<std::uint32_t> count_of(const redisReply& reply) {
  if (reply.type != REDIS_REPLY_STRING) return std::nullopt;
  const std::string_view text = text_of(reply);
  std::uint32_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || count == 0) return std::nullopt;
  return count;
}

}  // namespace

std::string Topics::key_of(std::string_view topic, std::uint32_t partition) const {
  return options_.prefix + std::string(topic) + ":" + std::to_string(partition);
}

void Topics::want(const std::string& topic, std::uint32_t partitions) {
  const std::lock_guard lock(mutex_);
  if (!confirmed_.contains(topic)) counts_[topic] = partitions;
}

std::optional<std::uint32_t> Topics::confirmed(const std::string& topic) const {
  const std::lock_guard lock(mutex_);
  const auto found = counts_.find(topic);
  if (found == counts_.end() || !confirmed_.contains(topic)) return std::nullopt;
  return found->second;
}

std::optional<std::uint32_t> Topics::known(const std::string& topic) const {
  const std::lock_guard lock(mutex_);
  const auto found = counts_.find(topic);
  if (found == counts_.end()) return std::nullopt;
  return found->second;
}

Result<std::vector<Topics::Answer>> Topics::confirm(Connection& connection,
                                                    const std::vector<std::string>& topics,
                                                    Deadline deadline) {
  const std::string registry = registry_key();
  for (const std::string& topic : topics) {
    const std::string wanted = std::to_string(known(topic).value_or(options_.partitions));
    connection.add({"HSETNX", registry, topic, wanted});
    connection.add({"HGET", registry, topic});
  }
  if (Status status = connection.flush(deadline); !status.ok()) return status;
  std::vector<Answer> answers;
  for (const std::string& topic : topics) {
    const auto made = connection.reply(deadline);
    if (!made.ok()) return made.status();
    const auto told = connection.reply(deadline);
    if (!told.ok()) return told.status();
    Answer& answer = answers.emplace_back(Answer{topic, std::nullopt});
    const std::string doing = "ask for the partitions of topic '" + topic + "' in " + registry;
    if (const auto count = count_of(**told)) {
      const std::lock_guard lock(mutex_);
      if (counts_.size() >= kMostRemembered) {
        counts_.clear();
        confirmed_.clear();
      }
      counts_[topic] = *count;
      confirmed_.insert(topic);
    } else if (is_error(**told)) {
      answer.refusal = refusal_of(text_of(**told), doing);
    } else if (is_error(**made)) {
      answer.refusal = refusal_of(text_of(**made), doing);
    } else {
      answer.refusal = {Consequence::passing,
                        Status(StatusCode::failed_precondition,
                               "can't " + doing + ": what is there is not a number of partitions")};
    }
  }
  return answers;
}

void Topics::forget_confirmations() {
  const std::lock_guard lock(mutex_);
  confirmed_.clear();
}

void Topics::forget(const std::string& topic) {
  const std::lock_guard lock(mutex_);
  confirmed_.erase(topic);
  counts_.erase(topic);
}

}  // namespace broker_redis
