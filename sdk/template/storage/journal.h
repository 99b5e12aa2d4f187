// Journal: one append-only file of entries, each whole or not there. The process that has it open
// holds its lock, which the kernel releases when the process dies. One thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "vouch/status.h"

namespace storage_journal {

class Journal {
 public:
  /// Opens or makes `directory`/journal, and gives every whole entry to `take`, in order. What a
  /// crash tore at the end is removed. Errors: failed_precondition (the lock, a newer format,
  /// rights), corrupt (`take` said so), unavailable.
  static vouch::Result<std::unique_ptr<Journal>> open(
      const std::string& directory, const std::function<vouch::Status(std::string_view)>& take);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  enum class Written : std::uint8_t {
    yes,     ///< and on the disk, if that was asked for
    no,      ///< nothing of it is there
    unknown  ///< only reading the file again can tell: nothing may be appended any more
  };
  struct Outcome {
    Written written = Written::yes;
    vouch::Status why;  ///< not ok unless yes
  };
  /// `force`: waits until it, and all before it, is on the disk.
  Outcome append(std::string_view entry, bool force);

 private:
  explicit Journal(int descriptor) : descriptor_(descriptor) {}
  vouch::Status read(const std::function<vouch::Status(std::string_view)>& take);

  const int descriptor_;
  std::uint64_t end_ = 0;
  bool broken_ = false;
};

}  // namespace storage_journal
