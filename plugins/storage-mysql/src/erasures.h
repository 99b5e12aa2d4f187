// MysqlErasures: events turned into tombstones, in one transaction however many they are.
// [any-thread]
#pragma once

#include "backend.h"
#include "vouch/erasure_store.h"

namespace vouch::mysql {

class MysqlErasures final : public ErasureStore {
 public:
  explicit MysqlErasures(Backend& backend) : backend_(backend) {}
  Result<ErasureOutcome> erase(const Erasure& erasure) override;
  Result<std::vector<ErasureRecord>> recorded(const StreamName& stream) override;

 private:
  Backend& backend_;
};

}  // namespace vouch::mysql
