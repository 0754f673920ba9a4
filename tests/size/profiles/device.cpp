// SPDX-License-Identifier: Apache-2.0
// Stands for the device: something to refer to. It is never run.
#include <cstddef>
#include <cstdint>

extern "C" {

extern unsigned char device_somewhere[];
unsigned char device_somewhere[4];

void* device_bus() { return device_somewhere; }
void* device_vault() { return device_somewhere; }
void* device_verifier() { return device_somewhere; }
void* device_channel() { return device_somewhere; }
void* device_clock() { return device_somewhere; }
void* device_spool() { return device_somewhere; }
void* device_state() { return device_somewhere; }
void* device_openings() { return device_somewhere; }
const uint8_t* device_table() { return device_somewhere; }
size_t device_table_size() { return sizeof device_somewhere; }
void device_take(const void*) {}

// newlib's own raises a signal, whose table is on the heap.
[[noreturn]] void abort();
[[noreturn]] void abort() {
  for (;;) device_take(device_somewhere);
}

}  // extern "C"
