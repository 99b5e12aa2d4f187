# Compiler options for the project's own targets: warnings are errors, sanitizers on request.
add_library(vouch_options INTERFACE)
target_compile_options(vouch_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual
  -Wnull-dereference -Wimplicit-fallthrough -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # These look at code after inlining and take std::string's small buffer for the whole string
  # (https://gcc.gnu.org/bugzilla/show_bug.cgi?id=105651 and its duplicates).
  target_compile_options(vouch_options INTERFACE
    -Wno-null-dereference -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread
    -Wno-restrict -Wno-maybe-uninitialized)
endif()
if(VOUCH_SANITIZE)
  add_compile_options(-fsanitize=${VOUCH_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${VOUCH_SANITIZE})
endif()
