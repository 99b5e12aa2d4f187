# VOUCH_ABI_MAJOR and VOUCH_ABI_MINOR: the plugin ABI, as sdk/include/vouch/abi.h says it. It is the
# version of the SDK, which changes less often than the server's.
set(VOUCH_ABI_HEADER ${PROJECT_SOURCE_DIR}/sdk/include/vouch/abi.h)
foreach(part Major Minor)
  file(STRINGS ${VOUCH_ABI_HEADER} line REGEX "kAbi${part} = [0-9]+;")
  if(NOT line MATCHES "= ([0-9]+)")
    message(FATAL_ERROR "${VOUCH_ABI_HEADER}: kAbi${part} is not where it is looked for")
  endif()
  string(TOUPPER VOUCH_ABI_${part} name)
  set(${name} ${CMAKE_MATCH_1})
endforeach()
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${VOUCH_ABI_HEADER})
