#include "options.h"

#include <stdexcept>

namespace storage_journal {

Options Options::from(const vouch::Settings& settings) {
  Options options{settings.text("directory")};
  if (options.directory.find_first_not_of(' ') == std::string::npos) {
    throw std::invalid_argument("directory is empty: name the directory that keeps the store");
  }
  return options;
}

}  // namespace storage_journal
