# SPDX-License-Identifier: Apache-2.0
# What the Linux files beside this one share. They set WAYSEAL_LINUX_TRIPLE and WAYSEAL_LINUX_EMULATOR.
#
# Compiler, C library and C++ library are those of Debian's -cross packages. Libraries besides (the tests need OpenSSL
# and libprotobuf) are looked for only in WAYSEAL_TARGET_PREFIX: a folder laid out like the target's root, which
# `toolchains/setup --target TRIPLE` makes in the cache. A real device's sysroot does as well.
set(CMAKE_C_COMPILER ${WAYSEAL_LINUX_TRIPLE}-gcc)
set(CMAKE_CXX_COMPILER ${WAYSEAL_LINUX_TRIPLE}-g++)
set(CMAKE_AR ${WAYSEAL_LINUX_TRIPLE}-gcc-ar)
set(CMAKE_RANLIB ${WAYSEAL_LINUX_TRIPLE}-gcc-ranlib)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES WAYSEAL_TARGET_PREFIX)

if(NOT WAYSEAL_TARGET_PREFIX)
  if(NOT "$ENV{WAYSEAL_CACHE}" STREQUAL "")
    set(WAYSEAL_TARGET_PREFIX "$ENV{WAYSEAL_CACHE}/targets/${WAYSEAL_LINUX_TRIPLE}")
  elseif(NOT "$ENV{XDG_CACHE_HOME}" STREQUAL "")
    set(WAYSEAL_TARGET_PREFIX "$ENV{XDG_CACHE_HOME}/wayseal/targets/${WAYSEAL_LINUX_TRIPLE}")
  else()
    set(WAYSEAL_TARGET_PREFIX "$ENV{HOME}/.cache/wayseal/targets/${WAYSEAL_LINUX_TRIPLE}")
  endif()
endif()
set(CMAKE_FIND_ROOT_PATH "${WAYSEAL_TARGET_PREFIX}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

set(CMAKE_CROSSCOMPILING_EMULATOR "${WAYSEAL_LINUX_EMULATOR};-L;/usr/${WAYSEAL_LINUX_TRIPLE}")
if(EXISTS "${WAYSEAL_TARGET_PREFIX}/usr/lib/${WAYSEAL_LINUX_TRIPLE}")
  # Debian keeps what differs between architectures apart; the compiler looks there only in its own root.
  set(CMAKE_C_STANDARD_INCLUDE_DIRECTORIES "${WAYSEAL_TARGET_PREFIX}/usr/include/${WAYSEAL_LINUX_TRIPLE}")
  set(CMAKE_CXX_STANDARD_INCLUDE_DIRECTORIES "${WAYSEAL_TARGET_PREFIX}/usr/include/${WAYSEAL_LINUX_TRIPLE}")
  # Its libraries may be made for a newer C library than the compiler's; the prefix holds that one too, and programs
  # run on it.
  set(CMAKE_EXE_LINKER_FLAGS_INIT
    "-Wl,--allow-shlib-undefined -Wl,-rpath-link,${WAYSEAL_TARGET_PREFIX}/usr/lib/${WAYSEAL_LINUX_TRIPLE}")
  set(CMAKE_CROSSCOMPILING_EMULATOR "${WAYSEAL_LINUX_EMULATOR};-L;${WAYSEAL_TARGET_PREFIX}")
endif()
