# SPDX-License-Identifier: Apache-2.0
# The functions that every CMakeLists.txt below the top level is written with.

# wayseal_layer(<name> SOURCES <.cpp>... [HEADERS <path below include/>...]
#               [DEPENDS <layer>...] [PRIVATE_DEPENDS <layer or target>...])
#
# A layer of the library: target wayseal_<name>, alias wayseal::<name>, built without exceptions and RTTI.
# HEADERS are its public headers; without it, all of include/wayseal/<name>/. DEPENDS are layers whose headers
# its public headers include; PRIVATE_DEPENDS are used by its sources only. What is no layer's name is taken as
# a target (wayseal_mbedtls, wayseal_nanopb, wayseal_wire).
function(wayseal_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;HEADERS;DEPENDS;PRIVATE_DEPENDS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "wayseal_layer(${name}): unknown arguments ${arg_UNPARSED_ARGUMENTS}")
  endif()
  set(base "${PROJECT_SOURCE_DIR}/include")
  if(NOT arg_HEADERS)
    file(GLOB arg_HEADERS CONFIGURE_DEPENDS RELATIVE "${base}" "${base}/wayseal/${name}/*.hpp")
  endif()
  list(TRANSFORM arg_HEADERS PREPEND "${base}/")
  _wayseal_library(wayseal_${name} "${base}" "${arg_SOURCES}" "${arg_HEADERS}")
  add_library(wayseal::${name} ALIAS wayseal_${name})
  target_include_directories(wayseal_${name} PRIVATE "${PROJECT_SOURCE_DIR}/lib")
  _wayseal_link(wayseal_${name} "${arg_DEPENDS}" "${arg_PRIVATE_DEPENDS}")
  set_property(GLOBAL APPEND PROPERTY WAYSEAL_LAYERS ${name})
endfunction()

# wayseal_port(<name> SOURCES <.cpp>... [DEPENDS <layer or port>...] [PRIVATE_DEPENDS <target>...])
#
# A port: target wayseal_hal_<name>, alias wayseal::hal_<name>. Its public headers are
# hal/<name>/include/wayseal/<name>/*.hpp, included as "wayseal/<name>/file.hpp". Depends on core by itself.
function(wayseal_port name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPENDS;PRIVATE_DEPENDS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "wayseal_port(${name}): unknown arguments ${arg_UNPARSED_ARGUMENTS}")
  endif()
  set(base "${CMAKE_CURRENT_SOURCE_DIR}/include")
  file(GLOB headers CONFIGURE_DEPENDS "${base}/wayseal/${name}/*.hpp" "${base}/wayseal/${name}/*.h")
  _wayseal_library(wayseal_hal_${name} "${base}" "${arg_SOURCES}" "${headers}")
  add_library(wayseal::hal_${name} ALIAS wayseal_hal_${name})
  _wayseal_link(wayseal_hal_${name} "core;${arg_DEPENDS}" "${arg_PRIVATE_DEPENDS}")
  set_property(GLOBAL APPEND PROPERTY WAYSEAL_PORTS ${name})
endfunction()

# wayseal_test(<name> SOURCES <.cpp>... [LIBS <target>...] [LABELS <label>...] [TIMEOUT <seconds>]
#              [ENVIRONMENT <NAME=value>...] [ARGS <argument>...] [WRAPPER <command> <argument>...] [NO_TEST])
#
# One Catch2 program, one ctest of the same name; target suite_<suite> builds all of its suite. Its suite, which
# is also its first label, is the folder below tests/ that it stands in. tests/ and lib/ are in its include
# path. Links Catch2 with main(). Tests of integration and vcan run one at a time. WRAPPER is a command that runs the program with its arguments. NO_TEST builds
# the program without a ctest, for tests that a script drives.
function(wayseal_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "NO_TEST" "TIMEOUT" "SOURCES;LIBS;LABELS;ENVIRONMENT;ARGS;WRAPPER")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "wayseal_test(${name}): unknown arguments ${arg_UNPARSED_ARGUMENTS}")
  endif()
  file(RELATIVE_PATH suite "${PROJECT_SOURCE_DIR}/tests" "${CMAKE_CURRENT_SOURCE_DIR}")
  string(REGEX REPLACE "/.*" "" suite "${suite}")
  add_executable(${name} ${arg_SOURCES})
  wayseal_strict(${name})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests" "${PROJECT_SOURCE_DIR}/lib")
  target_link_libraries(${name} PRIVATE ${arg_LIBS} Catch2::Catch2WithMain)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests/bin")
  if(CMAKE_CXX_FLAGS MATCHES "-fsanitize=[a-z,]*address")
    target_sources(${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests/sanitizers/keep_modules.c")
  endif()
  if(TARGET suite_${suite})
    add_dependencies(suite_${suite} ${name})
  endif()
  if(arg_NO_TEST)
    return()
  endif()
  # The emulator is that of a cross build, else empty.
  add_test(NAME ${name} COMMAND ${arg_WRAPPER} ${CMAKE_CROSSCOMPILING_EMULATOR} $<TARGET_FILE:${name}> ${arg_ARGS})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  if(CMAKE_CROSSCOMPILING_EMULATOR)
    math(EXPR arg_TIMEOUT "10 * ${arg_TIMEOUT}")  # arithmetic of large numbers is that much slower there
  endif()
  # 4 is Catch2's exit code when every test case was skipped.
  set_tests_properties(${name} PROPERTIES LABELS "${suite};${arg_LABELS}" TIMEOUT ${arg_TIMEOUT}
    SKIP_RETURN_CODE 4 ENVIRONMENT "${arg_ENVIRONMENT}")
  if(suite MATCHES "^(integration|vcan)$")
    set_tests_properties(${name} PROPERTIES RUN_SERIAL ON)  # each starts several servers
  endif()
endfunction()

# wayseal_program(<name> SOURCES <.cpp>... [LIBS <target>...])
#
# A host program of examples/ or a tool of the tests, built into <build>/bin. Exceptions and the standard
# library are allowed.
function(wayseal_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBS")
  add_executable(${name} ${arg_SOURCES})
  wayseal_strict(${name})
  target_link_libraries(${name} PRIVATE ${arg_LIBS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
endfunction()

# Sources may be empty: a layer whose public headers hold everything.
function(_wayseal_library target base sources headers)
  if(sources)
    add_library(${target} STATIC ${sources})
    set(scope PUBLIC)
    wayseal_strict(${target})
    wayseal_lean(${target})
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
    target_compile_features(${target} INTERFACE cxx_std_17)
  endif()
  target_sources(${target} ${scope} FILE_SET HEADERS BASE_DIRS "${base}" FILES ${headers})
  set_target_properties(${target} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
endfunction()

function(_wayseal_link target depends private_depends)
  get_target_property(type ${target} TYPE)
  set(public PUBLIC)
  set(private PRIVATE)
  if(type STREQUAL "INTERFACE_LIBRARY")
    set(public INTERFACE)
    set(private INTERFACE)
  endif()
  foreach(scope public private)
    if(scope STREQUAL "public")
      set(names ${depends})
    else()
      set(names ${private_depends})
    endif()
    foreach(item IN LISTS names)
      if(item IN_LIST WAYSEAL_ALL_LAYERS)
        target_link_libraries(${target} ${${scope}} wayseal_${item})
      else()
        target_link_libraries(${target} ${${scope}} ${item})
      endif()
    endforeach()
  endforeach()
endfunction()
