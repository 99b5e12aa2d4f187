// PluginLibrary; see the header. What was loaded stays loaded: an exception or a string that
// outlived its library would be a crash.
#include "vouch/conformance/plugin_library.h"

#include <dlfcn.h>

#include <stdexcept>

namespace vouch::conformance {

PluginLibrary::PluginLibrary(const std::string& path, PluginKind kind) {
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  const auto fail = [&](const std::string& why) {
    throw std::runtime_error("can't use " + path + ": " + why);
  };
  if (library == nullptr) fail(::dlerror());
  descriptor_ = static_cast<const PluginDescriptor*>(::dlsym(library, kDescriptorSymbol));
  if (descriptor_ == nullptr) fail("it does not export " + std::string(kDescriptorSymbol));
  if (descriptor_->magic != kPluginMagic) fail("its descriptor is not one of Vouch");
  if (descriptor_->abi_major != kAbiMajor || descriptor_->abi_minor > kAbiMinor) {
    fail("it was built for ABI " + std::to_string(descriptor_->abi_major) + "." +
         std::to_string(descriptor_->abi_minor));
  }
  if (descriptor_->build_tag != build_tag()) {
    fail("it was built differently: " + std::string(descriptor_->build_tag.data()) + ", here " +
         build_tag().data());
  }
  if (descriptor_->kind != kind) {
    fail("it is a " + std::string(to_string(descriptor_->kind)) + " plugin");
  }
}

}  // namespace vouch::conformance
