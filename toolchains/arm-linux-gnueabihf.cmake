# SPDX-License-Identifier: Apache-2.0
# 32-bit Arm Linux with hard float (Armv7-A, VFPv3-D16) and Debian's g++-arm-linux-gnueabihf; programs run here by qemu-user-static.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR armv7-a)
set(WAYSEAL_LINUX_TRIPLE arm-linux-gnueabihf)
set(WAYSEAL_LINUX_EMULATOR qemu-arm-static)
if(IS_DIRECTORY /dev/shm)
  # The emulator hands the host's 64-bit directory cookies on, and a 32-bit C library ends readdir() with EOVERFLOW at
  # the first that is large, as ext4's are. SoftHSM then misses tokens. tmpfs has small ones.
  list(APPEND WAYSEAL_LINUX_EMULATOR -E TMPDIR=/dev/shm)
endif()
include("${CMAKE_CURRENT_LIST_DIR}/linux-gnu.cmake")
