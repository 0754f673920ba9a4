# SPDX-License-Identifier: Apache-2.0
# A template for other compilers: copy it, keep one block of each section, name it after your target, and build with
#
#     cmake --toolchain my_target.cmake -DCMAKE_BUILD_TYPE=MinSizeRel -B build-my-target && cmake --build build-my-target
#
# What the library needs of a compiler:
#   - C++17 for lib/ and ports, C99 for nanopb and mbedTLS.
#   - Of the C++ library only headers that allocate nothing: <atomic> with 32-bit atomics, <new> (placement), <type_traits>,
#     <cstddef>, <cstdint>, <cstring>. Of the C library memcpy, memmove, memset, memcmp, strlen.
#   - No exceptions, no RTTI, no thread-safe statics: toolchains/cmake/WaysealOptions.cmake (wayseal_lean) gives GCC's
#     and Clang's flags to the library. A compiler that does not know them needs its own here, and that function changed.
#   - Two's complement, 8-bit bytes, IEEE 754 double (used for scales only). Either byte order. Any alignment rule: the
#     library never loads across one.
# None of the four compilers below has been run by this project: what is here is where to begin, to be checked against your
# compiler's manual. Then run tests/contract and tests/records on your device.

# --- 1. The machine. Generic: no operating system, and CMake looks for no shared libraries.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)

# --- 2. CMake tries the compiler by compiling only: linking needs your start-up code and memory map.
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)

# --- 3. The compilers: names in PATH, or absolute paths. CMake finds archiver and linker beside them.

# Arm Compiler 6 (armclang), Cortex-M4F. A fork of Clang; takes its warnings and its flags.
set(CMAKE_C_COMPILER armclang)
set(CMAKE_CXX_COMPILER armclang)
#   --target      bare metal for 32-bit Arm; armclang has no default
#   -fshort-enums as the Arm ABI for bare metal has it; the same for everything that is linked
set(machine "--target=arm-arm-none-eabi -mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mfloat-abi=hard -fshort-enums")
set(CMAKE_C_FLAGS_INIT "${machine}")
set(CMAKE_CXX_FLAGS_INIT "${machine} -fno-exceptions -fno-rtti -fno-threadsafe-statics -fno-use-cxa-atexit")
#   -Oz           smallest; -Os where time matters as well
set(CMAKE_C_FLAGS_MINSIZEREL_INIT "-Oz")
set(CMAKE_CXX_FLAGS_MINSIZEREL_INIT "-Oz")

# IAR C/C++ for Arm 9.
# set(CMAKE_C_COMPILER iccarm)
# set(CMAKE_CXX_COMPILER iccarm)
# #   --fpu            VFPv4_sp: Cortex-M4F; VFPv5_d16: Cortex-M7
# #   -e               the extensions that nanopb's and mbedTLS's headers use
# set(machine "--cpu=Cortex-M4F --fpu=VFPv4_sp --endian=little -e")
# set(CMAKE_C_FLAGS_INIT "${machine}")
# #   --libc++         the C++17 library; the other one is C++14
# set(CMAKE_CXX_FLAGS_INIT "${machine} --c++ --libc++ --no_exceptions --no_rtti --no_static_destruction")
# set(CMAKE_C_FLAGS_MINSIZEREL_INIT "-Ohz")
# set(CMAKE_CXX_FLAGS_MINSIZEREL_INIT "-Ohz")

# Green Hills MULTI, stand-alone target.
# set(CMAKE_C_COMPILER ccarm)
# set(CMAKE_CXX_COMPILER cxarm)
# #   -fhard           the floating-point unit; --no_implicit_include: templates are in headers
# set(machine "-cpu=cortexm4f -thumb -fhard -nostartfiles")
# set(CMAKE_C_FLAGS_INIT "${machine} -c99")
# set(CMAKE_CXX_FLAGS_INIT "${machine} --c++17 --no_exceptions --no_rtti")
# set(CMAKE_C_FLAGS_MINSIZEREL_INIT "-Osize")
# set(CMAKE_CXX_FLAGS_MINSIZEREL_INIT "-Osize")

# TI Arm Clang (tiarmclang), Cortex-R5F, little-endian. A fork of Clang.
# set(CMAKE_C_COMPILER tiarmclang)
# set(CMAKE_CXX_COMPILER tiarmclang)
# set(machine "-mcpu=cortex-r5 -mthumb -mfpu=vfpv3-d16 -mfloat-abi=hard -mlittle-endian")
# set(CMAKE_C_FLAGS_INIT "${machine}")
# set(CMAKE_CXX_FLAGS_INIT "${machine} -fno-exceptions -fno-rtti -fno-threadsafe-statics -fno-use-cxa-atexit")
# set(CMAKE_C_FLAGS_MINSIZEREL_INIT "-Oz")
# set(CMAKE_CXX_FLAGS_MINSIZEREL_INIT "-Oz")

# --- 4. Warnings are errors in this repository with GCC 12 and Clang 14. With another compiler they are yours to read.
set(WAYSEAL_WERROR OFF CACHE BOOL "")

# --- 5. Your mbedTLS or PSA Crypto instead of one compiled here, and your limits: toolchains/README.md, core/config.hpp.
# set(WAYSEAL_MBEDTLS_TARGET my_psa_crypto CACHE STRING "")
# set(WAYSEAL_PROFILE standard CACHE STRING "")

# --- 6. Programs (Python, protoc) are this machine's; libraries and headers are the target's.
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
