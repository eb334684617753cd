// The chosen variables of a new program's environment. BPF side only.
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "sensor/bpf/kernel.h"
#include "sensor/bpf/lanes.h"
#include "sensor/process/process_record.h"

enum { RD_VARIABLE_NAMES_MAX = 64, RD_VARIABLE_CALLS_MAX = 48 };

struct rd_variable_name {
  char text[RD_VARIABLE_NAME_BYTES];
};

// Names of the variables that are kept; the loader fills it.
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, RD_VARIABLE_NAMES_MAX);
  __type(key, struct rd_variable_name);
  __type(value, __u8);
} variable_names __weak SEC(".maps");

// Where a variable may start at most; a mark beside its size; how many one call of the scan looks at.
enum { RD_VARIABLE_LIMIT = RD_SCRATCH_BYTES - RD_VARIABLE_MAX, RD_VARIABLE_KEPT = 1 << 30, RD_VARIABLES_A_CALL = 16 };

// Reads one variable from `address` to byte `at` of the scratch space. Returns the bytes it takes in the environment,
// its NUL included (at most RD_VARIABLE_MAX: then the rest of it follows), with RD_VARIABLE_KEPT if it is asked for; 0
// if it cannot be read.
__weak __noinline __u64 rd_read_variable(__u64 at, __u64 address) {
  struct rd_scratch* space = rd_scratch_get(RD_SLOT_EVENT);
  if (!space || at > RD_VARIABLE_LIMIT) return 0;
  __u8* text = space->bytes + at;
  long size = bpf_probe_read_user_str(text, RD_VARIABLE_MAX, (void*)address);
  if (size <= 0) return 0;
  struct rd_variable_name name = {};
  int found = 0;
  for (int i = 0; i < RD_VARIABLE_NAME_BYTES; i++) {
    char c = text[i];
    if (c == 0) break;
    if (c == '=') {
      found = 1;
      break;
    }
    name.text[i] = c;
  }
  if (!found || !bpf_map_lookup_elem(&variable_names, &name)) return size;
  return (__u64)size | RD_VARIABLE_KEPT;
}

// How far a scan has come. Global functions return one number: the end of what is kept in the lower half, what was
// scanned of the environment in the upper, and whether that ends within a variable.
struct rd_scan {
  __u32 at;
  __u32 scanned : 31;
  __u32 inside : 1;
};

union rd_scan_word {
  struct rd_scan scan;
  __u64 word;
};

// Keeps the chosen ones of the next variables at byte `at`, as long as they start at `limit` at most. Scans nothing
// once one finds no room.
__weak __noinline __u64 rd_scan_variables(__u64 at, __u64 limit, __u64 address, __u64 end, __u32 inside) {
  __u64 begin = address;
  for (int seen = 0; seen < RD_VARIABLES_A_CALL && address < end; seen++) {
    __u64 read = rd_read_variable(at, address);
    __u64 size = read & (RD_VARIABLE_KEPT - 1);
    if (!size) break;
    if (read & RD_VARIABLE_KEPT && !inside) {
      if (at > limit) break;
      at += size;
    }
    inside = size >= RD_VARIABLE_MAX;
    address += inside ? size - 1 : size;
  }
  union rd_scan_word result = {.scan = {.at = at, .scanned = address - begin, .inside = inside}};
  return result.word;
}

// Appends the chosen variables at byte `at` of the scratch space; returns the new end. `left` is what was not looked at
// or found no room, in bytes.
static __always_inline __u64 rd_put_variables(struct mm_struct* mm, __u64 at, __u32* left) {
  __u64 address = BPF_CORE_READ(mm, env_start);
  __u64 end = BPF_CORE_READ(mm, env_end);
  union rd_scan_word state = {.scan = {.at = at, .scanned = 0, .inside = 0}};
  __u64 limit = at + RD_VARIABLES_LEN - RD_VARIABLE_MAX;
  for (int call = 0; call < RD_VARIABLE_CALLS_MAX && address < end; call++) {
    state.word = rd_scan_variables(state.scan.at, limit, address, end, state.scan.inside);
    if (!state.scan.scanned) break;
    address += state.scan.scanned;
  }
  *left = address < end ? end - address : 0;
  return state.scan.at;
}
