# Compiler options for the project's own targets: warnings are errors, sanitizers on request.
add_library(vouch_options INTERFACE)
target_compile_options(vouch_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual
  -Wnull-dereference -Wimplicit-fallthrough -Werror)
target_compile_options(vouch_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-null-dereference>)
if(VOUCH_SANITIZE)
  add_compile_options(-fsanitize=${VOUCH_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${VOUCH_SANITIZE})
endif()
