# Where things go when they are installed, and what of it is one component: `server` (the host with the
# SQLite storage and the broker inside the process), one for each further plugin by its name, and `dev`
# (the SDK). packaging/ makes a Debian package of each; docs/packaging.md says what lies where.
include(GNUInstallDirs)

set(VOUCH_INSTALLED_PLUGINS ${CMAKE_INSTALL_LIBDIR}/vouch/plugins)
set(VOUCH_INSTALLED_CMAKE ${CMAKE_INSTALL_LIBDIR}/cmake/vouch-sdk)
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  set(VOUCH_INSTALLED_CONFIG /etc/vouch)
  set(VOUCH_INSTALLED_DATA /var/lib/vouch)
  set(VOUCH_DATA_IN_CONFIG ${VOUCH_INSTALLED_DATA})
else()
  # Below the prefix, so that a tree can be installed anywhere without being root. The configuration
  # then names its data relative to its own directory.
  set(VOUCH_INSTALLED_CONFIG ${CMAKE_INSTALL_SYSCONFDIR}/vouch)
  set(VOUCH_INSTALLED_DATA ${CMAKE_INSTALL_LOCALSTATEDIR}/lib/vouch)
  file(RELATIVE_PATH VOUCH_DATA_IN_CONFIG
    ${CMAKE_INSTALL_PREFIX}/${VOUCH_INSTALLED_CONFIG} ${CMAKE_INSTALL_PREFIX}/${VOUCH_INSTALLED_DATA})
endif()

# vouch_install_config(): every file of config/, with the data directory of an installed host.
function(vouch_install_config)
  file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/config/*.yaml)
  foreach(file IN LISTS files)
    get_filename_component(name ${file} NAME)
    file(READ ${file} text)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    string(REPLACE "../data" "${VOUCH_DATA_IN_CONFIG}" text "${text}")
    file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/config/${name} CONTENT "${text}" @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/config/${name}
      DESTINATION ${VOUCH_INSTALLED_CONFIG} COMPONENT server)
  endforeach()
endfunction()
