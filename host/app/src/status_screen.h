// The screen of `vouch status`: a pure function of what was seen.
#pragma once

#include <cstddef>
#include <string>

#include "status_sample.h"

namespace vouch::app {

struct ScreenOptions {
  std::string url;
  bool colours = false;
  std::size_t rows = 0;  ///< of the terminal: the list of partitions is cut to fit; 0: all
};

/// Rates are those between the two samples, which are of one server.
std::string status_screen(const StatusSample& before, const StatusSample& now,
                          const ScreenOptions& options);

}  // namespace vouch::app
