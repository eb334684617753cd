// Slots of the scratch space for programs at functions of the kernel, which can be preempted by each other: who has
// claimed one on this CPU has it to itself until it gives it back.
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "sensor/bpf/lanes.h"

enum { RD_FUNCTION_SLOTS = RD_SLOTS - RD_SLOT_FUNCTION };

// A bit a slot: claimed on this CPU.
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u32);
} claimed_slots __weak SEC(".maps");

// RD_SLOTS if so many programs were preempted on this CPU that there is none.
static __always_inline __u32 rd_slot_claim(void) {
  __u32 zero = 0;
  __u32* claimed = bpf_map_lookup_elem(&claimed_slots, &zero);
  if (!claimed) return RD_SLOTS;
  for (__u32 i = 0; i < RD_FUNCTION_SLOTS; i++) {
    __u32 bit = 1u << i;
    if (!(__sync_fetch_and_or(claimed, bit) & bit)) return RD_SLOT_FUNCTION + i;
  }
  return RD_SLOTS;
}

static __always_inline void rd_slot_release(__u32 slot) {
  __u32 zero = 0;
  __u32* claimed = bpf_map_lookup_elem(&claimed_slots, &zero);
  if (claimed) __sync_fetch_and_and(claimed, ~(1u << (slot - RD_SLOT_FUNCTION)));
}
