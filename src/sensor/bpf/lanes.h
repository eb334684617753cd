// How a record leaves the kernel: two rings, the books of each, the scratch space where a record of variable length is
// put together. The maps are weak: every program file defines them, the linker keeps one of each.
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "sensor/bpf/record.h"

enum {
  RD_RING_BYTES = 1 << 22,  // the loader sets the real sizes
  RD_SCRATCH_BYTES = 24 << 10,
  RD_LOSS_ORIGINS_MAX = 1024,
  RD_QUIET_MAX = 64,
};

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, RD_RING_BYTES);
} ring_critical __weak SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, RD_RING_BYTES);
} ring_bulk __weak SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, RD_LANES);
  __type(key, __u32);
  __type(value, struct rd_lane_count);
} lane_counts __weak SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, RD_LOSS_ORIGINS_MAX);
  __type(key, struct rd_loss_key);
  __type(value, __u64);
} losses __weak SEC(".maps");

// Slots of the scratch space. Tracepoint programs run in a task's own context with preemption off, so never two at a
// time on a CPU; an iterator can be preempted by them and has a slot to itself.
enum rd_slot { RD_SLOT_EVENT = 0, RD_SLOT_SEED = 1, RD_SLOTS = 2 };

struct rd_scratch {
  __u8 bytes[RD_SCRATCH_BYTES];
};

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, RD_SLOTS);
  __type(key, __u32);
  __type(value, struct rd_scratch);
} scratch __weak SEC(".maps");

// Thread groups whose file and network activity is not told.
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, RD_QUIET_MAX);
  __type(key, __u32);
  __type(value, __u8);
} quiet_pids __weak SEC(".maps");

// 1 while the reader sleeps until it is woken; 0 while it looks by itself every few milliseconds.
volatile __u32 reader_sleeps __weak = 0;

static __always_inline __u64 rd_wake_flag(void) { return reader_sleeps ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP; }

static __always_inline void* rd_scratch_get(__u32 slot) { return bpf_map_lookup_elem(&scratch, &slot); }

static __always_inline int rd_is_quiet(__u32 tgid) { return bpf_map_lookup_elem(&quiet_pids, &tgid) != 0; }

static __always_inline void rd_count_produced(__u32 lane) {
  struct rd_lane_count* count = bpf_map_lookup_elem(&lane_counts, &lane);
  if (count) __sync_fetch_and_add(&count->produced, 1);
}

// Losses are rare and must add up: each is counted under its cgroup, or under none when the map is full. The total
// comes last, because the reader looks at the map only when the total has risen.
static __always_inline void rd_count_lost(__u32 lane, __u64 cgroup_id) {
  struct rd_loss_key key = {.cgroup_id = cgroup_id, .lane = lane};
  __u64* lost = bpf_map_lookup_elem(&losses, &key);
  if (!lost) {
    __u64 none = 0;
    bpf_map_update_elem(&losses, &key, &none, BPF_NOEXIST);
    lost = bpf_map_lookup_elem(&losses, &key);
  }
  if (!lost) {
    key.cgroup_id = 0;
    lost = bpf_map_lookup_elem(&losses, &key);
  }
  if (lost) __sync_fetch_and_add(lost, 1);
  struct rd_lane_count* count = bpf_map_lookup_elem(&lane_counts, &lane);
  if (count) __sync_fetch_and_add(&count->lost, 1);
}

// Sends a record of variable length. `ring` and `lane` belong together.
static __always_inline void rd_send(void* ring, __u32 lane, struct rd_head* record, __u64 bytes) {
  record->bytes = bytes;
  rd_count_produced(lane);
  if (bpf_ringbuf_output(ring, record, bytes, rd_wake_flag()) != 0) rd_count_lost(lane, record->actor.cgroup_id);
}
