# SPDX-License-Identifier: Apache-2.0
# 64-bit RISC-V Linux with Debian's g++-riscv64-linux-gnu; programs run here by qemu-user-static.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR riscv64)
set(WAYSEAL_LINUX_TRIPLE riscv64-linux-gnu)
set(WAYSEAL_LINUX_EMULATOR qemu-riscv64-static)
include("${CMAKE_CURRENT_LIST_DIR}/linux-gnu.cmake")
