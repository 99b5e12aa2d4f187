#include "files.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace vouch::config {

namespace fs = std::filesystem;

Result<std::string> read_file(const std::string& path, std::uintmax_t largest) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    return Status(StatusCode::not_found, "there is no such file");
  }
  if (error) return Status(StatusCode::unavailable, error.message());
  // A pipe or a device might never end.
  if (!fs::is_regular_file(status)) {
    return Status(StatusCode::unavailable, "it is not a regular file");
  }
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return Status(StatusCode::unavailable, std::generic_category().message(errno));
  std::string content;
  char buffer[4096];
  while (stream.read(buffer, sizeof buffer) || stream.gcount() > 0) {
    content.append(buffer, static_cast<std::size_t>(stream.gcount()));
    if (content.size() > largest) {
      return Status(StatusCode::too_large,
                    "it is larger than " + std::to_string(largest) + " bytes");
    }
  }
  if (stream.bad()) return Status(StatusCode::unavailable, "reading failed");
  return content;
}

unsigned readable_by_others(const std::string& path) {
  std::error_code error;
  const fs::perms mode = fs::status(path, error).permissions();
  const auto readable = fs::perms::group_read | fs::perms::others_read;
  if (error || (mode & readable) == fs::perms::none) return 0;
  return static_cast<unsigned>(mode & fs::perms::mask);
}

}  // namespace vouch::config
