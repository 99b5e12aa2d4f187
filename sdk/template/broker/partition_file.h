// PartitionFile: one append-only file of records, shared by every process that uses the directory.
// Writers take the file's lock; readers need none, since a record that is not whole is not there
// yet. One thread at a time for each object.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "vouch/status.h"

namespace broker_files {

class PartitionFile {
 public:
  /// Errors: unavailable with the system's words.
  static vouch::Result<std::unique_ptr<PartitionFile>> open(const std::string& path);
  ~PartitionFile();
  PartitionFile(const PartitionFile&) = delete;
  PartitionFile& operator=(const PartitionFile&) = delete;

  /// Appends whole records, and waits until they are on the disk. What a process that was killed
  /// left half written is removed first. After an error some of them may be there. Errors:
  /// unavailable.
  vouch::Status append(std::string_view records);

  /// Where the next record will begin: behind all that is there now.
  vouch::Result<std::uint64_t> end();

  /// Gives the body of the record at `offset`, and moves `offset` behind it. False when there is no
  /// whole record yet. Errors: unavailable.
  vouch::Result<bool> read(std::uint64_t& offset, std::string& body);

 private:
  class Locked;

  PartitionFile(std::string path, int descriptor)
      : path_(std::move(path)), descriptor_(descriptor) {}
  [[nodiscard]] vouch::Status failed(const char* doing) const;
  [[nodiscard]] std::uint64_t size() const;
  /// Whether the file ends with a whole record, or is empty.
  bool ends_whole(std::uint64_t size);
  /// The end of the last whole record, found from the beginning.
  std::uint64_t last_whole();

  const std::string path_;
  const int descriptor_;
  static constexpr std::uint64_t kUnknown = ~std::uint64_t{0};
  std::uint64_t known_end_ = kUnknown;  ///< a whole record ends here, as this object wrote it
  std::string buffer_;
};

}  // namespace broker_files
