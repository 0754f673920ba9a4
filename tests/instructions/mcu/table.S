// SPDX-License-Identifier: Apache-2.0
// frames.dbc as wayseal-oem made it.
  .section .rodata.frames_table, "a", %progbits
  .balign 4
  .global frames_table_start
  .global frames_table_end
frames_table_start:
  .incbin FRAMES_TABLE
frames_table_end:
