// ProblemList collects what is wrong with one config file. One thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/config_loader.h"

namespace vouch::config {

class ProblemList {
 public:
  explicit ProblemList(std::string file) : file_(std::move(file)) {}

  void error(Place place, std::string path, std::string message) {
    problems_.push_back({file_, place, std::move(path), std::move(message), false});
    ++error_count_;
  }
  void warning(Place place, std::string path, std::string message) {
    problems_.push_back({file_, place, std::move(path), std::move(message), true});
  }

  [[nodiscard]] std::size_t error_count() const { return error_count_; }

  /// In the order of the file; those about the file as a whole come first.
  std::vector<ConfigProblem> take();

 private:
  std::string file_;
  std::vector<ConfigProblem> problems_;
  std::size_t error_count_ = 0;
};

}  // namespace vouch::config
