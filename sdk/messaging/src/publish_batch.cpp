#include "vouch/messaging/publish_batch.h"

#include <string_view>
#include <unordered_map>
#include <utility>

namespace vouch::messaging {
namespace {

struct KeyHash {
  std::size_t operator()(const std::pair<std::string_view, std::string_view>& key) const {
    return std::hash<std::string_view>()(key.first) * 31 +
           std::hash<std::string_view>()(key.second);
  }
};

}  // namespace

PublishBatch::PublishBatch(std::span<const Message> messages, PublishSink& sink)
    : sink_(sink), entries_(messages.size()), untold_(messages.size()) {
  if (messages.size() < 2) return;
  std::unordered_map<std::pair<std::string_view, std::string_view>, std::size_t, KeyHash> last;
  last.reserve(messages.size());
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const auto [known, first] = last.try_emplace({messages[i].topic, messages[i].key}, i);
    if (first) continue;
    entries_[known->second].next = i;
    entries_[i].first = false;
    known->second = i;
  }
}

void PublishBatch::decide(std::size_t index, PublishOutcome outcome, const Status& why) {
  std::vector<Report> reports;
  {
    const std::lock_guard lock(mutex_);
    note(index, outcome, why, reports);
  }
  tell(reports);
}

void PublishBatch::decide_all(PublishOutcome outcome, const Status& why) {
  std::vector<Report> reports;
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < entries_.size(); ++i) note(i, outcome, why, reports);
  }
  tell(reports);
}

/// Pre: the mutex is held. Collects what can be told now.
void PublishBatch::note(std::size_t index, PublishOutcome outcome, const Status& why,
                        std::vector<Report>& reports) {
  if (entries_[index].decided) return;
  entries_[index].decided = true;
  entries_[index].outcome = outcome;
  entries_[index].why = why;
  if (outcome != PublishOutcome::acked) doom_followers(index);
  while (index != kNone && entries_[index].first && entries_[index].decided) {
    Entry& entry = entries_[index];
    if (entry.doomed) {
      entry.outcome = PublishOutcome::unknown;
      entry.why = {StatusCode::cancelled, "an earlier message of its key was not acknowledged"};
    }
    reports.push_back({index, entry.outcome, entry.why});
    entry.first = false;  // told
    --untold_;
    if (entry.next == kNone) break;
    Entry& next = entries_[entry.next];
    next.first = true;
    // Whatever the broker says of it.
    if (next.doomed) next.decided = true;
    index = entry.next;
  }
}

/// Pre: the mutex is held. Also when those before it have no outcome yet: what follows must not be
/// sent from now on. Behind a doomed one all are.
void PublishBatch::doom_followers(std::size_t index) {
  for (std::size_t next = entries_[index].next; next != kNone && !entries_[next].doomed;
       next = entries_[next].next) {
    entries_[next].doomed = true;
  }
}

/// With the last report the sink may be gone, and this object with it.
void PublishBatch::tell(const std::vector<Report>& reports) {
  PublishSink& sink = sink_;
  for (const Report& report : reports) sink.published(report.index, report.outcome, report.why);
}

bool PublishBatch::wanted(std::size_t index) const {
  const std::lock_guard lock(mutex_);
  return !entries_[index].decided && !entries_[index].doomed;
}

bool PublishBatch::over() const {
  const std::lock_guard lock(mutex_);
  return untold_ == 0;
}

}  // namespace vouch::messaging
