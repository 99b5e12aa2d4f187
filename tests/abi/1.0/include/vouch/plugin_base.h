// Plugin: what a storage and a broker have in common behind the binary boundary.
#pragma once

#include <string_view>

namespace vouch {

/// Destroyed only through the descriptor's `destroy`, so that the library that allocated it frees
/// it. A shipped interface never grows: an ability that came later is asked for by its id.
class Plugin {
 public:
  Plugin() = default;
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;

  /// The interface with that id, for example "vouch.storage.snapshots/1", or null. The pointer
  /// lives as long as the plugin object. [any-thread]
  virtual void* query(std::string_view interface_id) = 0;

 protected:
  ~Plugin() = default;
};

}  // namespace vouch
