# vouch_add_room(NAME [LINKS target...] [PRIVATE_LINKS target...])
# A room of the host: static library vouch_NAME of src/*.cpp. Its contract is in include/NAME/. LINKS are the rooms and libraries that its headers show, PRIVATE_LINKS the ones they hide.
function(vouch_add_room name)
  cmake_parse_arguments(ROOM "" "" "LINKS;PRIVATE_LINKS" ${ARGN})
  file(GLOB ROOM_SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/src/*.cpp)
  add_library(vouch_${name} STATIC ${ROOM_SOURCES})
  target_include_directories(vouch_${name}
    PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/include
    PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/src)
  target_link_libraries(vouch_${name}
    PUBLIC vouch::sdk ${ROOM_LINKS}
    PRIVATE vouch_options ${ROOM_PRIVATE_LINKS})
endfunction()
