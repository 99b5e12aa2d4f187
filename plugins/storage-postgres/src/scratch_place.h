// PostgresScratch: the schema of a trial. One thread.
#pragma once

#include "backend.h"
#include "vouch/scratch.h"

namespace vouch::postgres {

class PostgresScratch final : public ScratchPlace {
 public:
  /// `backend` must outlive it.
  explicit PostgresScratch(Backend& backend) : backend_(backend) {}

  Status make() override;
  Status remove() override;

 private:
  [[nodiscard]] Status check_name() const;

  Backend& backend_;
};

}  // namespace vouch::postgres
