// SqliteErasures: events turned into tombstones in one transaction between the lane's. Afterwards
// the write-ahead log is emptied, so that neither it nor the file holds what was there: the writing
// session overwrites what it deletes (see connection.cpp). Any thread.
#pragma once

#include "backend.h"
#include "checkpointer.h"
#include "vouch/erasure_store.h"

namespace vouch::sqlite {

class SqliteErasures final : public ErasureStore {
 public:
  SqliteErasures(Backend& backend, Checkpointer& checkpointer)
      : backend_(backend), checkpointer_(checkpointer) {}
  Result<ErasureOutcome> erase(const Erasure& erasure) override;
  Result<std::vector<ErasureRecord>> recorded(const StreamName& stream) override;

 private:
  Backend& backend_;
  Checkpointer& checkpointer_;
};

}  // namespace vouch::sqlite
