// What may stand in a config file at all: UTF-8 without control characters. Stateless, any thread.
#pragma once

#include <string>
#include <string_view>

#include "problem_list.h"

namespace vouch::config {

/// Reports the first byte that is not text, and returns false then. YAML readers differ in what
/// they make of one: some end there, and what is behind it would be overlooked in silence.
bool check_plain_text(std::string_view text, ProblemList& problems);

/// `text` on one line: control characters and bytes that are not UTF-8 as \xNN.
std::string one_line(std::string_view text);

}  // namespace vouch::config
