/* SPDX-License-Identifier: Apache-2.0 */
/* QEMU TCG plugin (API version 1, QEMU 6 to 8): counts the guest's instructions between two of its functions.
 *
 * A window opens where the guest executes the first instruction of `begin` and closes at that of `end`; `next` ends a case, a
 * number of windows. At exit one line a case goes to `out`: "windows instructions least most". With `symbols`, a file of lines
 * "ADDRESS SIZE NAME" (hexadecimal, hexadecimal), a line "  INSTRUCTIONS NAME" follows for each function in which some of them
 * were executed.
 *
 * Arguments: begin=HEX,end=HEX,next=HEX,out=PATH[,symbols=PATH] */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is used of QEMU's plugin interface, which Debian ships without its header. */
typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info_t;
enum { kNoRegisters = 0, kAddToU64 = 0 };
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb* tb);
struct qemu_plugin_insn* qemu_plugin_tb_get_insn(const struct qemu_plugin_tb* tb, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn* insn);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                           void (*callback)(qemu_plugin_id_t, struct qemu_plugin_tb*));
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn* insn, void (*callback)(unsigned, void*),
                                            int flags, void* context);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn* insn, int operation, void* counter,
                                                uint64_t add);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, void (*callback)(qemu_plugin_id_t, void*),
                                    void* context);

#define EXPORT __attribute__((visibility("default")))
enum { kCasesMax = 64, kSymbolsMax = 8192, kNameMax = 200 };

typedef struct {
  uint64_t windows;
  uint64_t instructions;
  uint64_t least;
  uint64_t most;
} Case;

typedef struct {
  uint64_t address;
  uint64_t size;
  uint64_t counts[kCasesMax];
  char name[kNameMax];
} Symbol;

static uint64_t begin_at, end_at, next_at;
static const char* out_path;
static uint64_t executed; /* by all instructions, in line: there is one processor */
static uint64_t opened;
static bool is_open;
static Case cases[kCasesMax];
static unsigned current;
static Symbol* symbols;
static size_t symbol_count;

EXPORT int qemu_plugin_version = 1;

static void on_begin(unsigned processor, void* context) {
  (void)processor;
  (void)context;
  opened = executed;
  is_open = true;
}

static void on_end(unsigned processor, void* context) {
  (void)processor;
  (void)context;
  if (!is_open) return;
  is_open = false;
  Case* now = &cases[current];
  const uint64_t count = executed - opened;
  if (now->windows == 0 || count < now->least) now->least = count;
  if (count > now->most) now->most = count;
  now->instructions += count;
  ++now->windows;
}

static void on_next(unsigned processor, void* context) {
  (void)processor;
  (void)context;
  if (current + 1 < kCasesMax) ++current;
}

static void on_symbol(unsigned processor, void* context) {
  (void)processor;
  if (is_open) ++((Symbol*)context)->counts[current];
}

static Symbol* symbol_of(uint64_t address) {
  size_t low = 0;
  size_t high = symbol_count;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (symbols[middle].address + symbols[middle].size <= address) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < symbol_count && symbols[low].address <= address ? &symbols[low] : NULL;
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb* tb) {
  (void)id;
  const size_t count = qemu_plugin_tb_n_insns(tb);
  for (size_t i = 0; i < count; ++i) {
    struct qemu_plugin_insn* insn = qemu_plugin_tb_get_insn(tb, i);
    const uint64_t address = qemu_plugin_insn_vaddr(insn);
    if (address == begin_at) qemu_plugin_register_vcpu_insn_exec_cb(insn, on_begin, kNoRegisters, NULL);
    if (address == end_at) qemu_plugin_register_vcpu_insn_exec_cb(insn, on_end, kNoRegisters, NULL);
    if (address == next_at) qemu_plugin_register_vcpu_insn_exec_cb(insn, on_next, kNoRegisters, NULL);
    Symbol* symbol = symbol_of(address);
    if (symbol != NULL) qemu_plugin_register_vcpu_insn_exec_cb(insn, on_symbol, kNoRegisters, symbol);
    qemu_plugin_register_vcpu_insn_exec_inline(insn, kAddToU64, &executed, 1);
  }
}

static void at_exit(qemu_plugin_id_t id, void* context) {
  (void)id;
  (void)context;
  FILE* out = fopen(out_path, "w");
  if (out == NULL) return;
  for (unsigned i = 0; i < current; ++i) {
    const Case* one = &cases[i];
    fprintf(out, "%llu %llu %llu %llu\n", (unsigned long long)one->windows,
            (unsigned long long)one->instructions, (unsigned long long)one->least,
            (unsigned long long)one->most);
    for (size_t s = 0; s < symbol_count; ++s) {
      if (symbols[s].counts[i] == 0) continue;
      fprintf(out, "  %llu %s\n", (unsigned long long)symbols[s].counts[i], symbols[s].name);
    }
  }
  fclose(out);
}

static int by_address(const void* left, const void* right) {
  const Symbol* a = left;
  const Symbol* b = right;
  return a->address < b->address ? -1 : a->address > b->address;
}

static bool read_symbols(const char* path) {
  FILE* in = fopen(path, "r");
  symbols = calloc(kSymbolsMax, sizeof *symbols);
  if (in == NULL || symbols == NULL) return false;
  while (symbol_count < kSymbolsMax) {
    Symbol* symbol = &symbols[symbol_count];
    unsigned long long address = 0;
    unsigned long long size = 0;
    if (fscanf(in, "%llx %llx %199[^\n]", &address, &size, symbol->name) != 3) break;
    symbol->address = address;
    symbol->size = size;
    ++symbol_count;
  }
  fclose(in);
  qsort(symbols, symbol_count, sizeof *symbols, by_address);
  return true;
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t* info, int argc, char** argv) {
  (void)info;
  for (int i = 0; i < argc; ++i) {
    if (strncmp(argv[i], "begin=", 6) == 0) begin_at = strtoull(argv[i] + 6, NULL, 16);
    if (strncmp(argv[i], "end=", 4) == 0) end_at = strtoull(argv[i] + 4, NULL, 16);
    if (strncmp(argv[i], "next=", 5) == 0) next_at = strtoull(argv[i] + 5, NULL, 16);
    if (strncmp(argv[i], "out=", 4) == 0) out_path = strdup(argv[i] + 4);
    if (strncmp(argv[i], "symbols=", 8) == 0 && !read_symbols(argv[i] + 8)) return 1;
  }
  if (out_path == NULL || begin_at == 0 || end_at == 0 || next_at == 0) return 1;
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
  qemu_plugin_register_atexit_cb(id, at_exit, NULL);
  return 0;
}
