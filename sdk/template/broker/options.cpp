#include "options.h"

#include <stdexcept>

namespace broker_files {

Options Options::from(const vouch::Settings& settings) {
  Options options;
  options.directory = settings.text("directory");
  if (options.directory.find_first_not_of(' ') == std::string::npos) {
    throw std::invalid_argument("directory is empty: name the directory that keeps the topics");
  }
  options.partitions = static_cast<std::uint32_t>(settings.integer("partitions"));
  options.max_message_bytes = settings.size("max_message_bytes");
  options.queue_messages = static_cast<std::size_t>(settings.integer("queue_messages"));
  return options;
}

}  // namespace broker_files
