# SPDX-License-Identifier: Apache-2.0
# What the Cortex-M files beside this one share: bare metal with Debian's gcc-arm-none-eabi and newlib. They set
# WAYSEAL_MCU_FLAGS and include this; used by itself it is a Cortex-M4F.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
# Whether a program links depends on the board's start-up code, which a compiler check does not have.
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_CXX_COMPILER arm-none-eabi-g++)
# The wrappers know the plug-in without which objects of -flto cannot be archived.
set(CMAKE_AR arm-none-eabi-gcc-ar)
set(CMAKE_RANLIB arm-none-eabi-gcc-ranlib)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
if(NOT WAYSEAL_MCU_FLAGS)
  set(WAYSEAL_MCU_FLAGS "-mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard")
endif()
# Of your own, with -D: optimisation, alignment, sections.
string(APPEND WAYSEAL_MCU_FLAGS " ${WAYSEAL_MCU_EXTRA_FLAGS}")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES WAYSEAL_MCU_EXTRA_FLAGS)
set(CMAKE_C_FLAGS_INIT "${WAYSEAL_MCU_FLAGS}")
set(CMAKE_CXX_FLAGS_INIT "${WAYSEAL_MCU_FLAGS}")
set(CMAKE_ASM_FLAGS_INIT "${WAYSEAL_MCU_FLAGS}")
