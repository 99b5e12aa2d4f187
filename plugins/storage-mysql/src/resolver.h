// Resolver: what became of a transaction, asked of the database by plain reads, never by time. Any
// thread.
#pragma once

#include <set>
#include <span>
#include <utility>
#include <vector>

#include "backend.h"
#include "vouch/storage.h"

namespace vouch::mysql {

class Resolver {
 public:
  explicit Resolver(Backend& backend) : backend_(backend) {}
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  ~Resolver() = default;

  /// Throws SqlError, StatusError.
  std::vector<Verdict> resolve(std::span<const Token> tokens);

  /// Ends the session whose transaction is in progress, and waits until it is over. Throws
  /// SqlError, StatusError.
  void fence(const Token& token);

 private:
  using Batch = std::pair<std::uint32_t, std::uint64_t>;
  static std::set<Batch> recorded(Session& session, std::span<const Token> tokens);
  std::set<Batch> forgotten(Session& session, std::span<const Token> tokens);
  void kill(const Token& token);

  Backend& backend_;
};

}  // namespace vouch::mysql
