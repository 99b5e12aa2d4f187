// vouch: arguments in, exit code out.
#include "command_line.h"

int main(int argc, char** argv) {
  return vouch::app::run_command_line(argc, argv);
}
