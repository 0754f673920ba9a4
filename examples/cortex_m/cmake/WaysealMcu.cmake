# SPDX-License-Identifier: Apache-2.0
# Programs for the emulated boards. A project of its own includes this after project(), then adds the repository:
#
#     set(WAYSEAL_WERROR ON CACHE BOOL "")
#     include(<repository>/examples/cortex_m/cmake/WaysealMcu.cmake)
#     add_subdirectory(<repository> wayseal)
#     wayseal_mcu_board()
#     wayseal_mcu_program(name SOURCES main.cpp LIBS wayseal::collect)
#
# and is configured with toolchains/arm-none-eabi-cortex-m4f.cmake (board AN386) or -m7.cmake (board AN500).

set(WAYSEAL_MCU_FLASH 256K CACHE STRING "Flash that a program may take")
set(WAYSEAL_MCU_RAM 128K CACHE STRING "RAM that a program may take, stack included")
set(WAYSEAL_MCU_STACK 8K CACHE STRING "Stack, a part of the RAM")
option(WAYSEAL_MCU_LTO "Link-time optimisation" ON)

get_filename_component(WAYSEAL_MCU_DIR "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)
if(CMAKE_CXX_FLAGS MATCHES "cortex-m7")
  set(WAYSEAL_MCU_MACHINE mps2-an500)
else()
  set(WAYSEAL_MCU_MACHINE mps2-an386)
endif()
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE MinSizeRel CACHE STRING "Build type" FORCE)
endif()

# As toolchains/cmake/WaysealOptions.cmake has it, whose variables stay in the repository's own scope.
set(WAYSEAL_WARNINGS -Wall -Wextra -Wconversion -Wshadow -Werror)
set(WAYSEAL_PIC OFF)

# For everything that is linked, other people's code included.
add_compile_options(-g -ffunction-sections -fdata-sections -fstack-usage
  "$<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions;-fno-rtti;-fno-threadsafe-statics;-fno-use-cxa-atexit>")
if(WAYSEAL_MCU_LTO)
  add_compile_options(-flto)
endif()

# Any reference to these fails the link: they are renamed to __wrap_..., which nobody defines.
set(_wayseal_mcu_heap malloc calloc realloc free _malloc_r _calloc_r _realloc_r _free_r _sbrk _sbrk_r
  _Znwj _Znaj _ZdlPv _ZdlPvj _ZdaPv _ZdaPvj)
list(TRANSFORM _wayseal_mcu_heap PREPEND "-Wl,--wrap=")

# Makes the target wayseal_board; after the repository was added.
function(wayseal_mcu_board)
  set(dir "${WAYSEAL_MCU_DIR}/board")
  add_library(wayseal_board OBJECT "${dir}/startup.cpp" "${dir}/console.cpp" "${dir}/semihosting.cpp"
    "${dir}/systick.cpp" "${dir}/board_clock.cpp" "${dir}/words.cpp")
  wayseal_strict(wayseal_board)
  target_include_directories(wayseal_board PUBLIC "${WAYSEAL_MCU_DIR}")
  target_link_libraries(wayseal_board PUBLIC wayseal_core)
  # Start-up code runs before memory is set up: its loops must not become calls that are not there yet.
  target_compile_options(wayseal_board PRIVATE -fno-tree-loop-distribute-patterns)
  if(WAYSEAL_MCU_MACHINE STREQUAL "mps2-an500")
    target_compile_definitions(wayseal_board PUBLIC BOARD_AN500)
  endif()
endfunction()

# wayseal_mcu_program(<name> SOURCES <.cpp>... [LIBS <target>...])
# An image for the board: <name>.elf, and <name>.map beside it.
function(wayseal_mcu_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBS")
  add_executable(${name} ${arg_SOURCES})
  wayseal_strict(${name})
  target_link_libraries(${name} PRIVATE wayseal_board ${arg_LIBS})
  set(script "${WAYSEAL_MCU_DIR}/board/mps2.ld")
  target_link_options(${name} PRIVATE -nostartfiles --specs=nano.specs -Wl,--gc-sections -fstack-usage
    ${_wayseal_mcu_heap} -T "${script}" "-Wl,-Map=$<TARGET_FILE:${name}>.map" -Wl,--print-memory-usage
    "-Wl,--defsym=board_flash_size=${WAYSEAL_MCU_FLASH}" "-Wl,--defsym=board_ram_size=${WAYSEAL_MCU_RAM}"
    "-Wl,--defsym=board_stack_size=${WAYSEAL_MCU_STACK}")
  if(WAYSEAL_MCU_LTO)
    # One definition for all: a limit that one file sees and another does not would be memory that overlaps.
    target_link_options(${name} PRIVATE -Os -flto=auto -Werror=odr -Werror=lto-type-mismatch)
  endif()
  set_target_properties(${name} PROPERTIES SUFFIX .elf LINK_DEPENDS "${script}")
endfunction()

# P-256 by p256-m, which is in mbedTLS's tree as a PSA driver; after the repository was added.
function(wayseal_mcu_p256m)
  get_target_property(dirs wayseal_mbedtls INCLUDE_DIRECTORIES)
  list(FILTER dirs INCLUDE REGEX "/3rdparty/p256-m$")
  list(GET dirs 0 dir)
  target_sources(wayseal_mbedtls PRIVATE "${dir}/p256-m_driver_entrypoints.c" "${dir}/p256-m/p256-m.c")
  target_include_directories(wayseal_mbedtls PRIVATE "${dir}/p256-m")
endfunction()
