// HostProcess: one `vouch serve` as a child of this process, with its words in a file. One thread
// does all calls, the same that lives as long as the children: they end when it does.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "prove/history.h"
#include "vouch/status.h"

namespace vouch::prove {

struct HostCommand {
  std::string executable;
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;  ///< beside this process's own
  std::string log;                                 ///< file that its words are appended to
};

class HostProcess {
 public:
  HostProcess(std::string name, HostCommand command);
  /// Kills it, if it runs.
  ~HostProcess();
  HostProcess(const HostProcess&) = delete;
  HostProcess& operator=(const HostProcess&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }

  /// Starts it without waiting for it. Errors: unavailable. Pre: it does not run.
  Status spawn();
  /// The port that it listens on, once it said so since its start.
  std::optional<std::uint16_t> port();
  /// How it ended by itself, in words, and the last of its log; nothing while it runs.
  std::optional<std::string> ended();
  /// Whether it was started and has not been seen to end.
  [[nodiscard]] bool running() const { return process_ > 0; }
  /// The exit code that it ended with; nothing if a signal ended it. Pre: `ended`.
  [[nodiscard]] std::optional<int> exit_code() const;
  /// Its last lines.
  [[nodiscard]] std::string last_words(std::size_t lines = 12) const;

  void send(int signal);
  /// kill -9, and waits for its end.
  void kill();
  /// SIGTERM, and kill -9 when it does not end in time.
  void stop(Seconds patience);

 private:
  [[nodiscard]] std::string words_since_start() const;
  bool reap(bool wait);

  const std::string name_;
  const HostCommand command_;
  pid_t process_ = -1;
  int result_ = 0;
  std::int64_t log_start_ = 0;
};

}  // namespace vouch::prove
