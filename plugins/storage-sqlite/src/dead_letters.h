// SqliteDeadLetters: from which event on a stream waits on a route. [any-thread]
#pragma once

#include "backend.h"
#include "vouch/dead_letter_store.h"

namespace vouch::sqlite {

class SqliteDeadLetters final : public DeadLetterStore {
 public:
  explicit SqliteDeadLetters(Backend& backend) : backend_(backend) {}
  Status put(std::span<const DeadLetter> letters) override;
  Result<std::vector<DeadLetter>> list(std::span<const Partition> partitions,
                                       const DeadLetterKey& after, std::uint32_t limit) override;
  Result<std::optional<DeadLetter>> find(const DeadLetterKey& key) override;
  Result<bool> replace(const DeadLetter& known, const DeadLetter& with) override;
  Result<bool> remove(const DeadLetter& known) override;

 private:
  Backend& backend_;
};

}  // namespace vouch::sqlite
