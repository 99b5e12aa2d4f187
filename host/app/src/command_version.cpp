#include "commands.h"
#include "exit_codes.h"
#include "format/json_text.h"
#include "terminal.h"
#include "version.h"
#include "vouch/abi.h"

namespace vouch::app {

int run(const VersionCommand& command) {
  const std::string abi = std::to_string(kAbiMajor) + "." + std::to_string(kAbiMinor);
  if (!command.json) return put_line(std::string("vouch ") + kVersion) ? kExitOk : kExitOutput;

  constexpr BuildTag tag = build_tag();
  std::string out = "{\"version\":";
  format::append_json_string(out, kVersion);
  out += ",\"plugin_abi\":";
  format::append_json_string(out, abi);
  out += ",\"build_tag\":";
  format::append_json_string(out, tag.data());
  out += "}";
  return put_line(out) ? kExitOk : kExitOutput;
}

}  // namespace vouch::app
