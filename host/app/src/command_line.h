// The command line: which commands there are and what they take. Everything a command does is in
// the file of its name.
#pragma once

namespace vouch::app {

/// Runs the command that the arguments name; returns the exit code (exit_codes.h).
int run_command_line(int argc, char** argv);

}  // namespace vouch::app
