# SPDX-License-Identifier: Apache-2.0
# 64-bit Arm Linux with Debian's g++-aarch64-linux-gnu; programs run here by qemu-user-static.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(WAYSEAL_LINUX_TRIPLE aarch64-linux-gnu)
set(WAYSEAL_LINUX_EMULATOR qemu-aarch64-static)
include("${CMAKE_CURRENT_LIST_DIR}/linux-gnu.cmake")
