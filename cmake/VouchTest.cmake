# vouch_add_test(NAME [SOURCES file...] [LINKS target...] [LABELS label...] [TIMEOUT seconds])
# A Catch2 program whose test cases appear one by one in ctest as "NAME: test case". A case that lacks
# what it needs prints a line "SKIPPED: why", and ctest counts it as skipped.
find_package(Catch2 REQUIRED)
include(Catch)

add_library(vouch_test_main STATIC ${PROJECT_SOURCE_DIR}/tests/support/test_main.cpp)
target_link_libraries(vouch_test_main PUBLIC Catch2::Catch2)
target_include_directories(vouch_test_main PUBLIC ${PROJECT_SOURCE_DIR}/tests/support)

function(vouch_add_test name)
  cmake_parse_arguments(TEST "" "TIMEOUT" "SOURCES;LINKS;LABELS" ${ARGN})
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 120)
  endif()
  add_executable(test_${name} ${TEST_SOURCES})
  target_link_libraries(test_${name} PRIVATE vouch_test_main vouch_options ${TEST_LINKS})
  target_precompile_headers(test_${name} PRIVATE <catch2/catch.hpp>)
  set_target_properties(test_${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  target_compile_definitions(test_${name} PRIVATE
    VOUCH_TEST_PLUGIN_DIRECTORY="${VOUCH_PLUGIN_DIRECTORY}"
    VOUCH_SOURCE_DIRECTORY="${PROJECT_SOURCE_DIR}")
  catch_discover_tests(test_${name} TEST_PREFIX "${name}: "
    PROPERTIES TIMEOUT ${TEST_TIMEOUT} SKIP_REGULAR_EXPRESSION "SKIPPED: "
               LABELS "${TEST_LABELS}")
endfunction()
