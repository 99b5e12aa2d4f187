// ProveProgress shows how far a trial has come on standard error: one line that is written anew on
// a terminal, else a line every ten seconds. One thread.
#pragma once

#include <chrono>
#include <string>

#include "prove/prove.h"

namespace vouch::app {

class ProveProgress final : public prove::ProgressSink {
 public:
  ProveProgress();
  void show(const prove::Progress& progress) override;
  void say(const std::string& words) override;
  /// Nothing more is shown; leaves a clean line.
  void end();

 private:
  void clear();

  const bool terminal_;
  bool line_is_open_ = false;
  std::string phase_;
  std::chrono::steady_clock::time_point next_line_{};
};

/// One line, at most `width` columns.
std::string progress_line(const prove::Progress& progress, std::size_t width);

}  // namespace vouch::app
