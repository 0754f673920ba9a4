# SPDX-License-Identifier: Apache-2.0
# Options, warnings and the places that everything else refers to.

option(WAYSEAL_BUILD_PORTS "Build the ports in hal/" ${WAYSEAL_HOSTED_TOP_LEVEL})
option(WAYSEAL_BUILD_EXAMPLES "Build examples/" ${WAYSEAL_HOSTED_TOP_LEVEL})
option(WAYSEAL_BUILD_TESTS "Build tests/" ${WAYSEAL_HOSTED_TOP_LEVEL})
option(WAYSEAL_PSA_STORAGE "Let mbedTLS's PSA hold keys of its own across restarts, as hal/psa needs"
  ${WAYSEAL_HOSTED_TOP_LEVEL})
option(WAYSEAL_WERROR "Treat warnings in Wayseal's own code as errors" ${PROJECT_IS_TOP_LEVEL})
option(WAYSEAL_CCACHE "Compile through ccache when it is installed" ${PROJECT_IS_TOP_LEVEL})
set(WAYSEAL_PROFILE "" CACHE STRING "Limits of the library: empty (a Linux TCU), standard or tiny (core/profile_*.hpp)")
set_property(CACHE WAYSEAL_PROFILE PROPERTY STRINGS "" standard tiny)
set(WAYSEAL_CONFIG_FILE "" CACHE STRING "Header with limits of your own (core/config.hpp), as #include finds it")
option(WAYSEAL_INSTALL "Add install rules" ${PROJECT_IS_TOP_LEVEL})

# Where toolchains/setup puts what it fetches.
if(DEFINED ENV{WAYSEAL_CACHE} AND NOT "$ENV{WAYSEAL_CACHE}" STREQUAL "")
  set(_wayseal_cache "$ENV{WAYSEAL_CACHE}")
elseif(DEFINED ENV{XDG_CACHE_HOME} AND NOT "$ENV{XDG_CACHE_HOME}" STREQUAL "")
  set(_wayseal_cache "$ENV{XDG_CACHE_HOME}/wayseal")
else()
  set(_wayseal_cache "$ENV{HOME}/.cache/wayseal")
endif()
set(WAYSEAL_CACHE_DIR "${_wayseal_cache}" CACHE PATH "Cache of toolchains/setup")

if(WAYSEAL_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(WAYSEAL_CCACHE_PROGRAM ccache)
  mark_as_advanced(WAYSEAL_CCACHE_PROGRAM)
  if(WAYSEAL_CCACHE_PROGRAM)
    # NOHASHDIR lets build directories share results; debug information then names whichever was first.
    set(_wayseal_launcher "${CMAKE_COMMAND};-E;env;CCACHE_NOHASHDIR=1")
    if(NOT DEFINED ENV{CCACHE_DIR})
      list(APPEND _wayseal_launcher "CCACHE_DIR=${WAYSEAL_CACHE_DIR}/ccache")
    endif()
    list(APPEND _wayseal_launcher "${WAYSEAL_CCACHE_PROGRAM}")
    set(CMAKE_C_COMPILER_LAUNCHER "${_wayseal_launcher}")
    set(CMAKE_CXX_COMPILER_LAUNCHER "${_wayseal_launcher}")
  endif()
endif()

# Generators run with the system's Python, whose packages toolchains/setup installs; another one first in PATH
# (pyenv, a virtual environment) lacks them.
set(WAYSEAL_PYTHON "/usr/bin/python3" CACHE FILEPATH "Python 3 with protobuf, jinja2 and jsonschema")

set(WAYSEAL_WARNINGS -Wall -Wextra -Wconversion -Wshadow)
if(WAYSEAL_WERROR)
  list(APPEND WAYSEAL_WARNINGS -Werror)
endif()

# Applied to every target of our own.
function(wayseal_strict target)
  target_compile_options(${target} PRIVATE ${WAYSEAL_WARNINGS})
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF CXX_STANDARD_REQUIRED ON)
  target_compile_features(${target} PUBLIC cxx_std_17)
endfunction()

# Applied to the library and the ports besides.
function(wayseal_lean target)
  target_compile_options(${target} PRIVATE
    "$<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions;-fno-rtti;-fno-threadsafe-statics>" -ffunction-sections
    -fdata-sections)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ${WAYSEAL_PIC})
endfunction()
