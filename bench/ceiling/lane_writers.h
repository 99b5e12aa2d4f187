// What the ceiling programs of the database servers have in common: their options, the groups that
// they write, and the run: one thread for each lane, for so many seconds.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "ceiling_main.h"
#include "vouch/storage.h"

namespace vouch::bench {

inline constexpr std::uint32_t kPartitions = 8;

struct CeilingOptions {
  std::string uri;
  double seconds = 5;
  std::uint32_t lanes = 4;
  std::uint32_t group = 100;
  std::uint32_t events = 1;  ///< on one stream, as one request has them
  std::uint32_t streams = 100'000;
  std::uint32_t payload = 256;
  bool plugin = false;
};

/// What all of them are asked on the command line. `options` must outlive `app`.
void add_options(CLI::App& app, CeilingOptions& options);

/// Throws std::runtime_error with what `status` says, if it is an error.
void demand(const Status& status);

/// Groups of one lane, every append with one write of `events` events on a stream of its own within
/// the group. Lanes share no stream, as in a host. One thread.
class Groups {
 public:
  Groups(const CeilingOptions& options, std::uint32_t lane);

  std::vector<Append> next();

 private:
  EventId next_id();

  const CeilingOptions& options_;
  const std::uint32_t lane_;
  std::vector<std::uint64_t> versions_;
  std::string data_;
  std::mt19937 random_;
  std::uint64_t ids_ = 0;
};

/// The writes of a group in the order of their partitions, as plugins write them. They point into
/// `group`.
std::vector<const Write*> by_partition(const std::vector<Append>& group);

/// Writes one group and commits it; throws std::exception. Called by one thread.
using WriteGroup = std::function<void(const std::vector<Append>&)>;

/// Through a plugin's `stage` and `commit`.
WriteGroup through(std::unique_ptr<Lane> lane);

/// Runs a thread for each of `writers`, the number of its lane being its index, and prints one JSON
/// object. Ends the process with the reason when a writer throws: the rest would go on without it.
void run_lanes(const CeilingOptions& options, const std::vector<WriteGroup>& writers);

}  // namespace vouch::bench
