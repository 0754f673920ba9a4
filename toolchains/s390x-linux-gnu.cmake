# SPDX-License-Identifier: Apache-2.0
# 64-bit IBM Z Linux, the big-endian target, with Debian's g++-s390x-linux-gnu; programs run here by qemu-user-static.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR s390x)
set(WAYSEAL_LINUX_TRIPLE s390x-linux-gnu)
set(WAYSEAL_LINUX_EMULATOR qemu-s390x-static)
include("${CMAKE_CURRENT_LIST_DIR}/linux-gnu.cmake")
