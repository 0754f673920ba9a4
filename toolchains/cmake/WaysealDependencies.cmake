# SPDX-License-Identifier: Apache-2.0
# The libraries that Wayseal is compiled with, as targets of this build: wayseal_mbedtls, wayseal_nanopb,
# wayseal_jsmn, and Catch2 for the tests. See toolchains/README.md for bringing your own.

set(WAYSEAL_MBEDTLS_DIR "" CACHE PATH "mbedTLS 3.6 source tree; empty: the one that toolchains/setup fetched")
set(WAYSEAL_MBEDTLS_TARGET "" CACHE STRING "Existing target(s) that give psa/crypto.h, used instead of a tree")
set(WAYSEAL_MBEDTLS_CONFIG "${PROJECT_SOURCE_DIR}/toolchains/mbedtls/wayseal_mbedtls_config.h" CACHE FILEPATH
  "mbedTLS configuration header")
set(WAYSEAL_NANOPB_DIR "" CACHE PATH "nanopb 0.4 source tree; empty: the one that toolchains/setup fetched")

set(WAYSEAL_JSMN_DIR "" CACHE PATH "Folder with jsmn.h 1.1; empty: /usr/include, where toolchains/setup puts it")

get_filename_component(_wayseal_toolchains "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)

# Sets `result` to the directory given by cache variable `variable`, or to the fetched one.
function(_wayseal_tree result variable fetched file)
  set(tree "${${variable}}")
  if(tree STREQUAL "")
    set(tree "${WAYSEAL_CACHE_DIR}/src/${fetched}")
    set(hint "Run toolchains/setup, or set ${variable}.")
  else()
    set(hint "${variable} points to it.")
  endif()
  if(NOT EXISTS "${tree}/${file}")
    message(FATAL_ERROR "wayseal: ${tree}/${file} does not exist. ${hint}")
  endif()
  set_property(DIRECTORY "${PROJECT_SOURCE_DIR}" APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${tree}/${file}")
  file(REAL_PATH "${tree}" tree)
  set(${result} "${tree}" PARENT_SCOPE)
endfunction()

# Other people's code: optimised, and its warnings are theirs. On a host it has no debug information, which nobody looks at.
function(_wayseal_foreign target)
  target_compile_options(${target} PRIVATE -w $<$<BOOL:${UNIX}>:-g0> $<$<CONFIG:Debug>:-O1> -ffunction-sections -fdata-sections)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ${WAYSEAL_PIC} CXX_CLANG_TIDY "")
endfunction()

# --- mbedTLS

# The prepared copy of the tree is made once for each content of what goes into it, and shared by all builds.
function(_wayseal_prepare_mbedtls result tree)
  set(inputs "${_wayseal_toolchains}/mbedtls/prepare_tree" "${_wayseal_toolchains}/mbedtls/driver/wayseal_vault.json"
    "${tree}/include/mbedtls/build_info.h" "${tree}/ChangeLog")
  set(digests "${tree}")
  foreach(input IN LISTS inputs)
    if(EXISTS "${input}")
      file(SHA256 "${input}" digest)
      string(APPEND digests "${digest}")
      set_property(DIRECTORY "${PROJECT_SOURCE_DIR}" APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${input}")
    endif()
  endforeach()
  string(SHA256 key "${digests}")
  string(SUBSTRING "${key}" 0 16 key)
  if(WAYSEAL_MBEDTLS_DIR STREQUAL "")
    set(prepared "${WAYSEAL_CACHE_DIR}/deps/mbedtls-${key}")
  else()
    set(prepared "${PROJECT_BINARY_DIR}/deps/mbedtls-${key}")
  endif()
  if(NOT EXISTS "${prepared}/library")
    message(STATUS "wayseal: preparing mbedTLS with the driver wayseal_vault in ${prepared}")
    execute_process(COMMAND "${WAYSEAL_PYTHON}" "${_wayseal_toolchains}/mbedtls/prepare_tree" "${tree}" "${prepared}"
      COMMAND_ERROR_IS_FATAL ANY)
  endif()
  set(${result} "${prepared}" PARENT_SCOPE)
endfunction()

function(_wayseal_add_mbedtls)
  if(NOT WAYSEAL_MBEDTLS_TARGET STREQUAL "")
    add_library(wayseal_mbedtls INTERFACE)
    target_link_libraries(wayseal_mbedtls INTERFACE ${WAYSEAL_MBEDTLS_TARGET})
    return()
  endif()
  _wayseal_tree(tree WAYSEAL_MBEDTLS_DIR mbedtls library/ssl_tls13_client.c)
  set(WAYSEAL_MBEDTLS_SOURCE_DIR "${tree}" PARENT_SCOPE)
  _wayseal_prepare_mbedtls(prepared "${tree}")
  # Files outside the configuration compile to nothing; listing all keeps this right for every 3.6.x.
  file(GLOB sources "${prepared}/library/*.c")
  list(FILTER sources EXCLUDE REGEX "/(net_sockets|timing|psa_its_file|entropy_poll|ssl_tls12_[a-z]*)\\.c$")
  add_library(wayseal_mbedtls STATIC ${sources} "${_wayseal_toolchains}/mbedtls/driver/wayseal_vault_driver.c"
    "${_wayseal_toolchains}/mbedtls/its/its_none.c")
  _wayseal_foreign(wayseal_mbedtls)
  get_filename_component(config_dir "${WAYSEAL_MBEDTLS_CONFIG}" DIRECTORY)
  get_filename_component(config_name "${WAYSEAL_MBEDTLS_CONFIG}" NAME)
  target_include_directories(wayseal_mbedtls SYSTEM PUBLIC
    $<BUILD_INTERFACE:${prepared}/include> $<BUILD_INTERFACE:${config_dir}>
    $<BUILD_INTERFACE:${_wayseal_toolchains}/mbedtls/driver> $<BUILD_INTERFACE:${_wayseal_toolchains}/mbedtls/its>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/wayseal-deps/mbedtls>)
  target_include_directories(wayseal_mbedtls PRIVATE "${prepared}/library" "${prepared}/3rdparty/everest/include"
    "${prepared}/3rdparty/p256-m")
  target_compile_definitions(wayseal_mbedtls PUBLIC MBEDTLS_CONFIG_FILE="${config_name}"
    $<$<BOOL:${WAYSEAL_PSA_STORAGE}>:WAYSEAL_PSA_STORAGE>)
  if(UNIX)
    find_package(Threads REQUIRED)
    target_link_libraries(wayseal_mbedtls PUBLIC Threads::Threads)
  endif()
  if(WAYSEAL_INSTALL)
    install(DIRECTORY "${prepared}/include/mbedtls" "${prepared}/include/psa"
      DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/wayseal-deps/mbedtls")
    install(DIRECTORY "${_wayseal_toolchains}/mbedtls/its/psa"
      DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/wayseal-deps/mbedtls")
    install(FILES "${WAYSEAL_MBEDTLS_CONFIG}" "${_wayseal_toolchains}/mbedtls/driver/wayseal_vault_driver.h"
      DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/wayseal-deps/mbedtls")
  endif()
endfunction()

# --- nanopb, jsmn, Catch2

function(_wayseal_add_nanopb)
  _wayseal_tree(tree WAYSEAL_NANOPB_DIR nanopb pb_decode.c)
  add_library(wayseal_nanopb STATIC "${tree}/pb_common.c" "${tree}/pb_encode.c" "${tree}/pb_decode.c")
  _wayseal_foreign(wayseal_nanopb)
  target_include_directories(wayseal_nanopb SYSTEM PUBLIC $<BUILD_INTERFACE:${tree}>)
  # Messages lie in memory, and nobody reads the texts of errors.
  target_compile_definitions(wayseal_nanopb PUBLIC PB_BUFFER_ONLY PB_NO_ERRMSG)
  set(WAYSEAL_NANOPB_GENERATOR "${tree}/generator/nanopb_generator.py" PARENT_SCOPE)
endfunction()

# One header, copied away from the machine's other headers, which are not for other targets. Strict: what is no JSON is
# refused; links to parents make its time linear.
function(_wayseal_add_jsmn)
  set(header "${WAYSEAL_JSMN_DIR}/jsmn.h")
  if(WAYSEAL_JSMN_DIR STREQUAL "")
    set(header /usr/include/jsmn.h)
  endif()
  if(NOT EXISTS "${header}")
    message(FATAL_ERROR "wayseal: ${header} does not exist. Run toolchains/setup, or set WAYSEAL_JSMN_DIR.")
  endif()
  configure_file("${header}" "${PROJECT_BINARY_DIR}/deps/jsmn/jsmn.h" COPYONLY)
  add_library(wayseal_jsmn INTERFACE)
  target_include_directories(wayseal_jsmn SYSTEM INTERFACE $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/deps/jsmn>)
  target_compile_definitions(wayseal_jsmn INTERFACE JSMN_STATIC JSMN_STRICT JSMN_PARENT_LINKS)
endfunction()

function(_wayseal_add_catch2)
  if(TARGET Catch2::Catch2WithMain)
    return()
  endif()
  set(WAYSEAL_CATCH2_DIR "" CACHE PATH "Catch2 3 source tree; empty: the one that toolchains/setup fetched")
  _wayseal_tree(tree WAYSEAL_CATCH2_DIR catch2 src/catch2/catch_test_macros.hpp)
  set(CMAKE_CXX_STANDARD 17)
  add_subdirectory("${tree}" "${PROJECT_BINARY_DIR}/deps/catch2" EXCLUDE_FROM_ALL SYSTEM)
  foreach(target Catch2 Catch2WithMain)
    target_compile_options(${target} PRIVATE -w -g0 $<$<CONFIG:Debug>:-O1>)
    set_target_properties(${target} PROPERTIES CXX_CLANG_TIDY "")
  endforeach()
endfunction()

_wayseal_add_mbedtls()
_wayseal_add_nanopb()
_wayseal_add_jsmn()
if(WAYSEAL_BUILD_TESTS)
  _wayseal_add_catch2()
endif()
