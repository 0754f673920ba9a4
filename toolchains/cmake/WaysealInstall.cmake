# SPDX-License-Identifier: Apache-2.0
# `cmake --install`: every layer and port as a target wayseal::<name>, the aggregate wayseal::wayseal, and the
# libraries that they were compiled with, so that find_package(wayseal) needs nothing else.
include(CMakePackageConfigHelpers)

function(_wayseal_install)
  get_property(layers GLOBAL PROPERTY WAYSEAL_LAYERS)
  get_property(ports GLOBAL PROPERTY WAYSEAL_PORTS)
  list(REMOVE_ITEM ports template)  # to copy, not to link
  foreach(layer IN LISTS layers)
    list(APPEND targets wayseal_${layer})
    set_target_properties(wayseal_${layer} PROPERTIES EXPORT_NAME ${layer})
  endforeach()
  foreach(port IN LISTS ports)
    list(APPEND targets wayseal_hal_${port})
    set_target_properties(wayseal_hal_${port} PROPERTIES EXPORT_NAME hal_${port})
  endforeach()
  install(TARGETS ${targets} EXPORT wayseal FILE_SET HEADERS)

  set_target_properties(wayseal_all PROPERTIES EXPORT_NAME wayseal)
  set(foreign wayseal_mbedtls wayseal_nanopb wayseal_jsmn wayseal_wire)
  foreach(target IN LISTS foreign)
    string(REPLACE "wayseal_" "" name ${target})
    set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  endforeach()
  install(TARGETS wayseal_all ${foreign} EXPORT wayseal)
  add_custom_target(wayseal_installable DEPENDS ${targets} ${foreign})

  set(folder "${CMAKE_INSTALL_LIBDIR}/cmake/wayseal")
  install(EXPORT wayseal NAMESPACE wayseal:: FILE wayseal-targets.cmake DESTINATION "${folder}")
  set(WAYSEAL_NEEDS_THREADS ${UNIX})
  configure_package_config_file("${PROJECT_SOURCE_DIR}/toolchains/cmake/wayseal-config.cmake.in"
    "${PROJECT_BINARY_DIR}/wayseal-config.cmake" INSTALL_DESTINATION "${folder}")
  write_basic_package_version_file("${PROJECT_BINARY_DIR}/wayseal-config-version.cmake"
    COMPATIBILITY SameMinorVersion)
  install(FILES "${PROJECT_BINARY_DIR}/wayseal-config.cmake" "${PROJECT_BINARY_DIR}/wayseal-config-version.cmake"
    DESTINATION "${folder}")
  install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
endfunction()

if(WAYSEAL_INSTALL)
  _wayseal_install()
endif()
