# vouch_add_plugin(NAME [SOURCES file...] [LINKS target...])
# A plugin library NAME.so that exports vouch_plugin_descriptor and nothing else, resolves every
# symbol when it is linked, and stays in memory once loaded (an exception or string that outlived an
# unloaded library would be a crash).
set(VOUCH_PLUGIN_MAP ${CMAKE_CURRENT_LIST_DIR}/vouch-plugin.map)

function(vouch_add_plugin name)
  cmake_parse_arguments(PLUGIN "" "" "SOURCES;LINKS" ${ARGN})
  add_library(${name} MODULE ${PLUGIN_SOURCES})
  set_target_properties(${name} PROPERTIES
    PREFIX ""
    SUFFIX ".so"
    CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON
    LINK_DEPENDS ${VOUCH_PLUGIN_MAP})
  if(VOUCH_PLUGIN_DIRECTORY)
    set_target_properties(${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${VOUCH_PLUGIN_DIRECTORY})
  endif()
  target_link_libraries(${name} PRIVATE vouch::sdk ${PLUGIN_LINKS})
  target_link_options(${name} PRIVATE
    -Wl,--version-script=${VOUCH_PLUGIN_MAP}
    -Wl,-z,now -Wl,-z,relro -Wl,-z,nodelete
    -Wl,--exclude-libs,ALL -Wl,--as-needed)
  if(NOT VOUCH_SANITIZE)
    # A sanitizer's run time is found in the host, so only plain builds can demand this.
    target_link_options(${name} PRIVATE -Wl,-z,defs)
  endif()
endfunction()

# vouch_add_conformance_test(NAME [SETTINGS file] [ARGUMENTS argument...] [LAUNCHER command...]
#                            [TIMEOUT seconds])
# A test "NAME: conformance" that runs vouch-conformance on the plugin NAME. SETTINGS: its settings as YAML,
# counted from the current source directory; ARGUMENTS: more for the program (--server, --overflow …).
# LAUNCHER: a command that the whole command line of the program is given to as arguments, and that runs it:
# one that starts a server for the test, puts its address into the arguments, and ends it.
# Call enable_testing() before.
set(VOUCH_SDK_CMAKE_DIRECTORY ${CMAKE_CURRENT_LIST_DIR})

function(vouch_add_conformance_test name)
  cmake_parse_arguments(TEST "" "SETTINGS;TIMEOUT" "ARGUMENTS;LAUNCHER" ${ARGN})
  if(TARGET vouch-conformance)
    set(program $<TARGET_FILE:vouch-conformance>)
  else()
    # In an installed tree this file is in PREFIX/lib/cmake/vouch-sdk, or one folder deeper.
    get_filename_component(near ${VOUCH_SDK_CMAKE_DIRECTORY}/../../../bin ABSOLUTE)
    get_filename_component(far ${VOUCH_SDK_CMAKE_DIRECTORY}/../../../../bin ABSOLUTE)
    find_program(VOUCH_CONFORMANCE vouch-conformance REQUIRED HINTS ${near} ${far})
    set(program ${VOUCH_CONFORMANCE})
  endif()
  set(settings "")
  if(TEST_SETTINGS)
    get_filename_component(file ${TEST_SETTINGS} ABSOLUTE)
    set(settings --settings ${file})
  endif()
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 600)
  endif()
  add_test(NAME "${name}: conformance"
    COMMAND ${TEST_LAUNCHER} ${program} $<TARGET_FILE:${name}> ${settings} ${TEST_ARGUMENTS})
  set_tests_properties("${name}: conformance" PROPERTIES TIMEOUT ${TEST_TIMEOUT})
endfunction()

# vouch_install_plugin(NAME [COMPONENT component])
# Installs the plugin where a host with the same prefix looks for plugins: below /usr that is
# VOUCH_SDK_PLUGIN_DIRECTORY of the package vouch-sdk.
function(vouch_install_plugin name)
  cmake_parse_arguments(PLUGIN "" "COMPONENT" "" ${ARGN})
  include(GNUInstallDirs)
  if(NOT PLUGIN_COMPONENT)
    set(PLUGIN_COMPONENT ${name})
  endif()
  install(TARGETS ${name} COMPONENT ${PLUGIN_COMPONENT}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/vouch/plugins)
endfunction()
