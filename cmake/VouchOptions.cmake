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

# The thread sanitizer does not know the threads of C11, which librdkafka uses: executables bring some that
# it knows, which libraries find first.
if(VOUCH_SANITIZE MATCHES "thread")
  add_library(vouch_c11_threads OBJECT ${PROJECT_SOURCE_DIR}/tests/support/c11_threads.cpp)
  set(executable "$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>")
  link_libraries("$<${executable}:vouch_c11_threads>")
  foreach(symbol thrd_* mtx_* cnd_*)
    add_link_options("$<${executable}:-Wl,--export-dynamic-symbol=${symbol}>")
  endforeach()
endif()
