// SPDX-License-Identifier: Apache-2.0
// The signal table, as wayseal-oem made it, in flash.
  .section .rodata.wayseal_table, "a", %progbits
  .balign 4
  .global image_table_start
  .global image_table_end
image_table_start:
  .incbin WAYSEAL_MCU_TABLE_FILE
image_table_end:
