# SPDX-License-Identifier: Apache-2.0
# Cortex-M7 with a floating-point unit for float and double.
set(WAYSEAL_MCU_FLAGS "-mcpu=cortex-m7 -mthumb -mfpu=fpv5-d16 -mfloat-abi=hard")
include("${CMAKE_CURRENT_LIST_DIR}/arm-none-eabi.cmake")
