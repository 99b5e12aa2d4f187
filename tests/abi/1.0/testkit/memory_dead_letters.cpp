// MemoryDeadLetters: kept in the database. [any-thread]
#include <algorithm>

#include "memory_host.h"

namespace vouch::testkit {

Status MemoryDeadLetters::put(std::span<const DeadLetter> letters) {
  if (Status status = host_->enter(Step::dead_letter); !status.ok()) return status;
  const std::lock_guard lock(host_->database.mutex);
  for (const DeadLetter& letter : letters) {
    const auto [kept, added] = host_->database.dead_letters.try_emplace(letter.key, letter);
    if (added) {
      kept->second.revision = 1;
      continue;
    }
    DeadLetter& known = kept->second;
    if (letter.version >= known.version && letter.last <= known.last) continue;
    const std::uint64_t revision = known.revision + 1;
    const Version last = std::max(known.last, letter.last);
    if (letter.version < known.version) known = letter;
    known.last = last;
    known.revision = revision;
  }
  return {};
}

Result<std::vector<DeadLetter>> MemoryDeadLetters::list(std::span<const Partition> partitions,
                                                        const DeadLetterKey& after,
                                                        std::uint32_t limit) {
  if (Status status = host_->usable(); !status.ok()) return status;
  const std::lock_guard lock(host_->database.mutex);
  const auto& all = host_->database.dead_letters;
  std::vector<DeadLetter> letters;
  for (auto next = all.upper_bound(after); next != all.end() && letters.size() < limit; ++next) {
    const bool wanted = partitions.empty() ||
                        std::ranges::find(partitions, next->second.partition) != partitions.end();
    if (wanted) letters.push_back(next->second);
  }
  return letters;
}

Result<std::optional<DeadLetter>> MemoryDeadLetters::find(const DeadLetterKey& key) {
  if (Status status = host_->usable(); !status.ok()) return status;
  const std::lock_guard lock(host_->database.mutex);
  const auto found = host_->database.dead_letters.find(key);
  if (found == host_->database.dead_letters.end()) return std::optional<DeadLetter>();
  return std::optional<DeadLetter>(found->second);
}

Result<bool> MemoryDeadLetters::replace(const DeadLetter& known, const DeadLetter& with) {
  if (Status status = host_->enter(Step::dead_letter); !status.ok()) return status;
  const std::lock_guard lock(host_->database.mutex);
  const auto found = host_->database.dead_letters.find(known.key);
  if (found == host_->database.dead_letters.end() || found->second.revision != known.revision) {
    return false;
  }
  found->second = with;
  found->second.key = known.key;
  found->second.partition = known.partition;
  found->second.revision = known.revision + 1;
  return true;
}

Result<bool> MemoryDeadLetters::remove(const DeadLetter& known) {
  if (Status status = host_->enter(Step::dead_letter); !status.ok()) return status;
  const std::lock_guard lock(host_->database.mutex);
  const auto found = host_->database.dead_letters.find(known.key);
  if (found == host_->database.dead_letters.end() || found->second.revision != known.revision) {
    return false;
  }
  host_->database.dead_letters.erase(found);
  return true;
}

}  // namespace vouch::testkit
