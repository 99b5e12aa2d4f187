#include "problem_list.h"

#include <algorithm>
#include <tuple>

#include "plain_text.h"

namespace vouch::config {

std::vector<ConfigProblem> ProblemList::take() {
  std::ranges::stable_sort(problems_, {}, [](const ConfigProblem& problem) {
    return std::tuple(problem.place.line, problem.place.column);
  });
  return std::exchange(problems_, {});
}

std::string ConfigProblem::text() const {
  std::string out = file;
  if (place.line > 0) {
    out += ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
  }
  out += warning ? ": warning: " : ": error: ";
  if (!path.empty()) out += one_line(path) + ": ";  // a key may hold anything
  return out + message;
}

}  // namespace vouch::config
