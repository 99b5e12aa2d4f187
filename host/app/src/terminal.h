// What the commands say to people and programs: results on standard output, words on standard
// error, colours on terminals only (and never with NO_COLOR set). One thread.
#pragma once

#include <string_view>

namespace vouch::app {

/// "vouch: message" on standard error.
void say(std::string_view message);

/// "vouch: error: message" on standard error, the word in red on a terminal.
void say_error(std::string_view message);

/// One line of results, flushed, so that a reader behind a pipe sees it at once. False when
/// standard output is gone.
bool put_line(std::string_view line);

/// `text` in bold when standard output is a terminal.
void put_bold(std::string_view text);

}  // namespace vouch::app
