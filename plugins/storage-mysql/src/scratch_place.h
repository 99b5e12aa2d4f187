// MysqlScratch: the database of a trial. One thread.
#pragma once

#include "backend.h"
#include "vouch/scratch.h"

namespace vouch::mysql {

class MysqlScratch final : public ScratchPlace {
 public:
  /// `backend` must outlive it.
  explicit MysqlScratch(Backend& backend) : backend_(backend) {}

  Status make() override;
  Status remove() override;

 private:
  [[nodiscard]] Status check_name() const;
  /// The same server, no database chosen.
  [[nodiscard]] Options without_database() const;
  [[nodiscard]] Status run(const char* doing, const std::string& sql);

  Backend& backend_;
};

}  // namespace vouch::mysql
