// DeadLetters: the streams of this host's partitions that wait, on some route, behind an event that
// a broker refused for good. The store keeps them; here is what the routes ask for with every
// event. A delivery may be complete although events of it wait: from then on the letter alone knows
// of them, so it is written first, with the highest version that waits.
//
//   the process dies …                         then
//   between the refusal and the letter         the delivery is unmarked: refused again, a letter
//   again between the letter and the mark            the delivery is given again, and its events
//   wait again between publishing a stream and removing   it is published again: duplicates its
//   letter
//
// `list`, `retry`, `discard`: [any-thread]. The rest: the saga's thread.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "partition_table.h"
#include "vouch/dead_letter_store.h"

namespace vouch::saga {

class DeadLetters {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// `store` is null when the storage keeps none. `changed` is called when a letter was released.
  DeadLetters(DeadLetterStore* store, PartitionTable& partitions, HostServices& services,
              std::function<void()> changed);

  [[nodiscard]] bool supported() const { return store_ != nullptr; }

  /// Reads the letters of the owned partitions, when it is time to or something changed.
  Status refresh(Time now);
  /// Whether the letters of an owned partition are known; before that nothing of it may go out.
  [[nodiscard]] bool knows(Partition partition) const;
  /// Whether a stream's event waits on that route.
  [[nodiscard]] bool blocks(const std::string& route, std::string_view stream,
                            Version version) const;

  /// Keeps letters of events that were refused. Pre: supported.
  Status refuse(const std::vector<DeadLetter>& letters);
  /// Keeps that events wait; `letters` hold the lowest and highest version of each stream.
  Status wait_behind(const std::vector<DeadLetter>& letters);

  /// Streams of a route that may go on, in the order of their names.
  [[nodiscard]] std::vector<std::string> released(const std::string& route,
                                                  std::size_t limit) const;
  [[nodiscard]] std::size_t count(const std::string& route) const;
  Result<std::optional<DeadLetter>> find(const DeadLetterKey& key) const;
  /// Takes the place of a letter, or removes it if `with` is null. False when it changed meanwhile;
  /// the newest state is read before the next round then.
  Result<bool> advance(const DeadLetter& known, const DeadLetter* with);

  /// Reads the letters anew before the next round.
  void look_again() { stale_.store(true); }

  Result<std::vector<DeadLetter>> list(const DeadLetterKey& after, std::uint32_t limit) const;
  /// Publishes the event again and goes on behind it. Errors: not_found when there is no such
  /// letter at that version, unavailable.
  Status retry(const DeadLetterKey& key, Version version);
  /// Goes on behind the event, which is not published on that route. Errors: the same, and
  /// failed_precondition while the event is being published again.
  Status discard(const DeadLetterKey& key, Version version);
  /// Removes a letter of a route that nobody has any more. Errors: the same.
  Status drop(const DeadLetterKey& key, Version version);

 private:
  struct Entry {
    Partition partition;
    Version version;
    bool released = false;
  };
  using Streams = std::map<std::string, Entry, std::less<>>;

  Status release(const DeadLetterKey& key, Version version, bool skip);
  void note(const DeadLetter& letter);
  void publish_counts();

  DeadLetterStore* const store_;
  PartitionTable& partitions_;
  HostServices& services_;
  const std::function<void()> changed_;
  std::map<std::string, Streams> routes_;
  std::vector<std::uint64_t> known_;  ///< by partition: the claim under which it was read
  std::atomic<bool> stale_{true};
  Time next_look_{};
  std::map<std::string, Gauge*> gauges_;
};

}  // namespace vouch::saga
