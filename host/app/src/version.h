// The version of this build, from the project's CMakeLists.txt.
#pragma once

namespace vouch::app {

inline constexpr const char* kVersion = VOUCH_VERSION;

}  // namespace vouch::app
