#include "dead_letters.h"

#include <algorithm>
#include <utility>

namespace vouch::saga {
namespace {

using std::chrono::steady_clock;

constexpr std::uint32_t kPage = 1'000;
constexpr std::chrono::seconds kBetweenLooks{1};
/// Looking takes no more than this part of the time.
constexpr int kShare = 20;

}  // namespace

DeadLetters::DeadLetters(DeadLetterStore* store, PartitionTable& partitions, HostServices& services,
                         std::function<void()> changed)
    : store_(store),
      partitions_(partitions),
      services_(services),
      changed_(std::move(changed)),
      known_(partitions.size()) {}

Status DeadLetters::refresh(Time now) {
  if (store_ == nullptr) return {};
  bool all_known = true;
  for (std::uint32_t i = 0; i < known_.size() && all_known; ++i) {
    all_known = known_[i] == partitions_.generation({i}) || !partitions_.deliverable({i});
  }
  if (all_known && now < next_look_ && !stale_.load()) return {};
  std::vector<Partition> owned;
  for (std::uint32_t i = 0; i < known_.size(); ++i) {
    if (partitions_.deliverable({i})) owned.push_back({i});
  }
  if (owned.empty()) return {};
  stale_.store(false);
  std::map<std::string, Streams> found;
  DeadLetterKey after;
  for (bool more = true; more;) {
    const Result<std::vector<DeadLetter>> page = store_->list(owned, after, kPage);
    if (!page.ok()) {
      stale_.store(true);
      return page.status().with_context("read dead letters");
    }
    for (const DeadLetter& letter : *page) {
      found[letter.key.route][letter.key.stream] = {letter.partition, letter.version,
                                                    letter.released};
    }
    more = page->size() == kPage;
    if (more) after = page->back().key;
  }
  routes_ = std::move(found);
  for (const Partition partition : owned) {
    known_[partition.value] = partitions_.generation(partition);
  }
  const auto end = steady_clock::now();
  next_look_ = end + std::max<steady_clock::duration>(kBetweenLooks, (end - now) * kShare);
  publish_counts();
  return {};
}

bool DeadLetters::knows(Partition partition) const {
  return store_ == nullptr || known_[partition.value] == partitions_.generation(partition);
}

bool DeadLetters::blocks(const std::string& route, std::string_view stream, Version version) const {
  if (routes_.empty()) return false;
  const auto streams = routes_.find(route);
  if (streams == routes_.end()) return false;
  const auto entry = streams->second.find(stream);
  return entry != streams->second.end() && version >= entry->second.version;
}

Status DeadLetters::refuse(const std::vector<DeadLetter>& letters) {
  if (Status status = store_->put(letters); !status.ok()) {
    return status.with_context("keep dead letters");
  }
  for (const DeadLetter& letter : letters) {
    note(letter);
    services_.logger().warning(
        "a broker refused an event for good; its stream waits on this route until the event is "
        "retried or discarded",
        {{"route", letter.key.route},
         {"stream", letter.key.stream},
         {"version", std::to_string(letter.version.value)},
         {"event", letter.event.to_string()},
         {"topic", letter.topic},
         {"reason", letter.reason}});
  }
  publish_counts();
  return {};
}

Status DeadLetters::wait_behind(const std::vector<DeadLetter>& letters) {
  if (letters.empty()) return {};
  return store_->put(letters).with_context("keep that events wait behind dead letters");
}

std::vector<std::string> DeadLetters::released(const std::string& route, std::size_t limit) const {
  std::vector<std::string> streams;
  const auto found = routes_.find(route);
  if (found == routes_.end()) return streams;
  for (const auto& [stream, entry] : found->second) {
    if (streams.size() == limit) break;
    if (entry.released && partitions_.deliverable(entry.partition)) streams.push_back(stream);
  }
  return streams;
}

std::size_t DeadLetters::count(const std::string& route) const {
  const auto found = routes_.find(route);
  return found == routes_.end() ? 0 : found->second.size();
}

Result<std::optional<DeadLetter>> DeadLetters::find(const DeadLetterKey& key) const {
  return store_->find(key);
}

Result<bool> DeadLetters::advance(const DeadLetter& known, const DeadLetter* with) {
  Result<bool> changed = with == nullptr ? store_->remove(known) : store_->replace(known, *with);
  if (!changed.ok() || !*changed) {
    stale_.store(true);
    return changed;
  }
  if (with != nullptr) {
    note(*with);
  } else {
    routes_[known.key.route].erase(known.key.stream);
  }
  publish_counts();
  return changed;
}

Result<std::vector<DeadLetter>> DeadLetters::list(const DeadLetterKey& after,
                                                  std::uint32_t limit) const {
  if (store_ == nullptr) return std::vector<DeadLetter>();
  return store_->list({}, after, limit);
}

Status DeadLetters::retry(const DeadLetterKey& key, Version version) {
  return release(key, version, false);
}

Status DeadLetters::discard(const DeadLetterKey& key, Version version) {
  return release(key, version, true);
}

Status DeadLetters::drop(const DeadLetterKey& key, Version version) {
  const Status none(StatusCode::not_found, "there is no such dead letter any more");
  if (store_ == nullptr) return none;
  const Result<std::optional<DeadLetter>> found = store_->find(key);
  if (!found.ok()) return found.status();
  if (!found->has_value() || (*found)->version != version) return none;
  const Result<bool> removed = store_->remove(**found);
  if (!removed.ok()) return removed.status();
  return *removed ? Status() : none;
}

Status DeadLetters::release(const DeadLetterKey& key, Version version, bool skip) {
  const Status none(StatusCode::not_found, "there is no such dead letter any more");
  if (store_ == nullptr) return none;
  for (;;) {
    const Result<std::optional<DeadLetter>> found = store_->find(key);
    if (!found.ok()) return found.status();
    if (!found->has_value() || (*found)->version != version) return none;
    const DeadLetter& known = **found;
    if (known.released && skip) {
      return {StatusCode::failed_precondition, "the event is being published again right now"};
    }
    if (known.released) return {};
    DeadLetter released = known;
    released.released = true;
    if (skip) released.version = known.version.next();
    const Result<bool> changed = store_->replace(known, released);
    if (!changed.ok()) return changed.status();
    if (!*changed) continue;  // more events came to wait
    services_.logger().info(
        skip ? "a dead letter was discarded" : "a dead letter is tried again",
        {{"route", key.route}, {"stream", key.stream}, {"version", std::to_string(version.value)}});
    stale_.store(true);
    changed_();
    return {};
  }
}

void DeadLetters::note(const DeadLetter& letter) {
  routes_[letter.key.route][letter.key.stream] = {letter.partition, letter.version,
                                                  letter.released};
}

void DeadLetters::publish_counts() {
  for (const auto& [route, streams] : routes_) {
    Gauge*& gauge = gauges_[route];
    if (gauge == nullptr) {
      const Label labels[] = {{"route", route}};
      gauge = &services_.metrics().gauge(
          "vouch_delivery_dead_letters",
          "Streams of this host's partitions that wait behind a refused event.", labels);
    }
  }
  for (auto& [route, gauge] : gauges_) gauge->set(static_cast<double>(count(route)));
}

}  // namespace vouch::saga
