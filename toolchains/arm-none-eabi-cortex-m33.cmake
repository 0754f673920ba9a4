# SPDX-License-Identifier: Apache-2.0
# Cortex-M33 (Armv8-M Mainline) with a floating-point unit for float; double is done in software.
set(WAYSEAL_MCU_FLAGS "-mcpu=cortex-m33 -mthumb -mfpu=fpv5-sp-d16 -mfloat-abi=hard")
include("${CMAKE_CURRENT_LIST_DIR}/arm-none-eabi.cmake")
