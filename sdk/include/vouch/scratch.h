// ScratchPlace, ScratchTopics and ServerEndpoints: optional interfaces of plugins for trials (vouch
// prove), which use a place of their own in the user's backend, leave nothing behind, and disturb
// the connections of their hosts. Without them a trial says what is left, and left alone.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vouch/status.h"

namespace vouch {

/// With this the names of places and topics of trials begin; '_' and '-' count as the same, since
/// databases and brokers differ in what they allow. Everything else is refused.
inline constexpr std::string_view kScratchPrefix = "vouch-prove-";

/// Whether a name may be a trial's.
constexpr bool is_scratch_name(std::string_view name) {
  if (name.size() <= kScratchPrefix.size()) return false;
  for (std::size_t i = 0; i < kScratchPrefix.size(); ++i) {
    const char letter = name[i] == '_' ? '-' : name[i];
    if (letter != kScratchPrefix[i]) return false;
  }
  return true;
}

/// Of a storage: the database or schema that its settings name. One thread, and nobody else uses
/// the storage meanwhile; it need not be open. May block as long as the plugin waits for its
/// server.
class ScratchPlace {
 public:
  static constexpr const char* kInterface = "vouch.storage.scratch/1";

  /// Makes what `migrate` does not make by itself. Errors: failed_precondition (the place is not
  /// named as a trial's), permission_denied with the right that is missing, unavailable.
  virtual Status make() = 0;

  /// Removes the place and everything in it. Ok when it is not there. Errors: as above.
  virtual Status remove() = 0;

 protected:
  ~ScratchPlace() = default;
};

/// Of a broker that keeps topics until they are deleted. [any-thread]
class ScratchTopics {
 public:
  static constexpr const char* kInterface = "vouch.broker.scratch/1";

  /// Deletes topics. Ok for one that is not there. Pre: open. Errors: failed_precondition (one is
  /// not named as a trial's: none is deleted), permission_denied, unavailable. May block for
  /// `wait`.
  virtual Status remove(std::span<const std::string> topics, std::chrono::milliseconds wait) = 0;

 protected:
  ~ScratchTopics() = default;
};

/// An address that clients connect to, both as HOST:PORT, an IPv6 address in brackets.
struct ServerEndpoint {
  std::string address;     ///< as servers or settings tell it, and as a key of `redirects` has it
  std::string reached_at;  ///< where it is reached with the settings as they are
};

/// Of a broker whose connections a trial may lead through proxies. The host does not know which of
/// a plugin's settings are addresses, nor those that servers tell their clients. [any-thread]
class ServerEndpoints {
 public:
  static constexpr const char* kInterface = "vouch.broker.endpoints/1";

  /// All addresses that clients with these settings may connect to, each once: those in the
  /// settings, and those that servers tell. Pre: open. Errors: unavailable. May block for `wait`.
  virtual Result<std::vector<ServerEndpoint>> endpoints(std::chrono::milliseconds wait) = 0;

  /// The plugin's setting (SettingType::map) by which every client it makes connects to another
  /// address: keys are endpoints, values HOST:PORT to connect to instead.
  [[nodiscard]] virtual std::string redirects() const = 0;

 protected:
  ~ServerEndpoints() = default;
};

}  // namespace vouch
