// The version rule: majors equal, the plugin's minor at most the host's, and nothing in the build
// tag differs.
#include "plugins/descriptor_check.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <sstream>
#include <vector>

#include "plugins/plugin_catalog.h"

namespace vouch::plugins {
namespace {

/// What the parts of a build tag are called in messages.
constexpr std::pair<std::string_view, std::string_view> kTagParts[] = {
    {"std", "C++ standard library"},
    {"str", "std::string ABI"},
    {"debug", "debug containers"},
    {"rtti", "run-time type information"},
    {"eh", "exceptions"},
    {"bits", "pointer bits"},
    {"types", "boundary types"}};

using Parts = std::vector<std::pair<std::string, std::string>>;

/// "a=1;b=2" as pairs. A tag is untrusted: it need not end with a zero byte.
Parts parts_of(const BuildTag& tag) {
  const std::string text(tag.begin(), std::find(tag.begin(), tag.end(), '\0'));
  Parts parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ';');) {
    const std::size_t equals = std::min(part.find('='), part.size());
    parts.emplace_back(part.substr(0, equals),
                       equals < part.size() ? part.substr(equals + 1) : std::string());
  }
  return parts;
}

std::string value_in(const Parts& parts, const std::string& key) {
  const auto found =
      std::find_if(parts.begin(), parts.end(), [&](const auto& part) { return part.first == key; });
  if (found == parts.end()) return "not said";
  return found->second.empty() ? "empty" : found->second;
}

std::string title_of(const std::string& key) {
  const auto* const found = std::find_if(std::begin(kTagParts), std::end(kTagParts),
                                         [&](const auto& part) { return part.first == key; });
  return found == std::end(kTagParts) ? key : std::string(found->second);
}

Status refused(std::string words) {
  return Status(StatusCode::failed_precondition, std::move(words));
}

std::string abi(std::uint16_t major, std::uint16_t minor) {
  return std::to_string(major) + "." + std::to_string(minor);
}

std::string hex(std::uint32_t value) {
  std::ostringstream text;
  text << "0x" << std::hex << value;
  return text.str();
}

Status check_abi(const std::string& path, const DescriptorHead& head) {
  const std::string plugin = abi(head.abi_major, head.abi_minor);
  const std::string host = abi(kAbiMajor, kAbiMinor);
  if (head.abi_major != kAbiMajor) {
    const std::string major = std::to_string(kAbiMajor);
    return refused(path + " is built for plugin ABI " + plugin + ", this host speaks " + host +
                   "; rebuild the plugin with the Vouch SDK for ABI " + major +
                   (head.abi_major > kAbiMajor ? ", or upgrade the host" : ""));
  }
  if (head.abi_minor > kAbiMinor) {
    return refused(path + " needs plugin ABI " + plugin + ", this host speaks " + host +
                   "; upgrade the host, or rebuild the plugin with its SDK");
  }
  return {};
}

}  // namespace

std::vector<std::string> build_tag_differences(const BuildTag& plugin, const BuildTag& host) {
  const Parts plugin_parts = parts_of(plugin);
  const Parts host_parts = parts_of(host);
  std::vector<std::string> keys;
  for (const Parts* parts : {&host_parts, &plugin_parts}) {
    for (const auto& part : *parts) {
      if (std::find(keys.begin(), keys.end(), part.first) == keys.end()) keys.push_back(part.first);
    }
  }
  std::vector<std::string> differences;
  for (const std::string& key : keys) {
    const std::string of_plugin = value_in(plugin_parts, key);
    const std::string of_host = value_in(host_parts, key);
    if (of_plugin == of_host) continue;
    std::string& text = differences.emplace_back(title_of(key));
    text.append(": plugin ").append(of_plugin).append(", host ").append(of_host);
  }
  return differences;
}

Status check_head(const std::string& path, const DescriptorHead& head) {
  if (head.magic != kPluginMagic) {
    return refused(path + " has a symbol " + kDescriptorSymbol +
                   " that is no plugin descriptor (it begins with " + hex(head.magic) + ", not " +
                   hex(kPluginMagic) + "); define it with VOUCH_PLUGIN");
  }
  if (const Status status = check_abi(path, head); !status.ok()) return status;
  if (head.struct_size < sizeof(PluginDescriptor)) {
    return refused(path + " has a descriptor of " + std::to_string(head.struct_size) +
                   " bytes, where plugin ABI " + abi(head.abi_major, head.abi_minor) + " has " +
                   std::to_string(sizeof(PluginDescriptor)) + "; define it with VOUCH_PLUGIN");
  }
  std::string words;
  for (const std::string& difference : build_tag_differences(head.build_tag, build_tag())) {
    words += (words.empty() ? "" : "; ") + difference;
  }
  if (!words.empty()) {
    return refused(path + " was built differently from this host (" + words +
                   "); rebuild the plugin as this host was built, with this host's SDK");
  }
  return {};
}

Status check_descriptor(const std::string& path, const PluginDescriptor& descriptor) {
  const char* const texts[] = {descriptor.name, descriptor.version, descriptor.vendor,
                               descriptor.license, descriptor.summary};
  const bool has_texts = std::none_of(std::begin(texts), std::end(texts),
                                      [](const char* text) { return text == nullptr; });
  const bool has_table = descriptor.setting_count == 0 || descriptor.settings != nullptr;
  if (!has_texts || !has_table || descriptor.create == nullptr || descriptor.destroy == nullptr) {
    return refused(path +
                   " has an incomplete descriptor (a text, the settings table, create or destroy "
                   "is null); define it with VOUCH_PLUGIN");
  }
  if (descriptor.setting_count > 0 && descriptor.setting_size != sizeof(SettingSpec)) {
    return refused(path + " has a settings table with rows of " +
                   std::to_string(descriptor.setting_size) + " bytes, this host reads rows of " +
                   std::to_string(sizeof(SettingSpec)) +
                   "; rebuild the plugin with this host's SDK");
  }
  const std::string stem = std::filesystem::path(path).stem();
  if (descriptor.name != stem) {
    return refused(path + " says that its name is '" + descriptor.name + "'; rename the file to " +
                   descriptor.name + ".so, or build the plugin as '" + stem + "'");
  }
  if (descriptor.kind != PluginKind::storage && descriptor.kind != PluginKind::broker) {
    return refused(path + " is of a kind that this host does not know (" +
                   std::to_string(static_cast<std::uint32_t>(descriptor.kind)) +
                   "); upgrade the host");
  }
  return {};
}

Status check_kind(const std::string& path, const PluginDescriptor& descriptor, PluginKind wanted) {
  if (descriptor.kind == wanted) return {};
  return refused(path + " is a " + std::string(to_string(descriptor.kind)) + " plugin, where a " +
                 std::string(to_string(wanted)) + " plugin is asked for; name a " +
                 std::string(to_string(wanted)) +
                 " plugin here, for example one that 'vouch plugins' lists");
}

}  // namespace vouch::plugins
