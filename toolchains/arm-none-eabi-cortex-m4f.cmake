# SPDX-License-Identifier: Apache-2.0
# Cortex-M4 with a floating-point unit for float; double is done in software.
set(WAYSEAL_MCU_FLAGS "-mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard")
include("${CMAKE_CURRENT_LIST_DIR}/arm-none-eabi.cmake")
