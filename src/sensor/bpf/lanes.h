// How a record leaves the kernel: two rings, the books of each, the scratch space where a record of variable length is
// put together. The maps are weak: every program file defines them, the linker keeps one of each.
//
// A ring is shared fairly. Of its first three quarters a cgroup may hold at most RD_SHARE_OF_FREE times what is free
// there (dynamic thresholds, as in switches with one memory for all ports: Choudhury and Hahne, 1998): one that is
// alone has most of them, and many that flood share them. The last quarter is for cgroups that hold little of the ring:
// one part in RD_SMALL_SHARE at most.
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "sensor/bpf/record.h"

enum {
  RD_RING_BYTES = 1 << 22,  // the loader sets the real sizes
  RD_SCRATCH_BYTES = 28 << 10,
  RD_QUIET_MAX = 64,
  RD_SHARE_OF_FREE = 3,
  RD_SMALL_SHARE = 64,
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
  __uint(max_entries, RD_LANES* RD_KINDS_MAX);
  __type(key, __u32);
  __type(value, struct rd_lane_count);
} lane_counts __weak SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, RD_LANES* RD_LANE_SHARES);
  __type(key, __u32);
  __type(value, struct rd_lane_share);
} lane_shares __weak SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, RD_LOSS_ORIGINS_MAX);
  __type(key, struct rd_loss_key);
  __type(value, __u64);
} losses __weak SEC(".maps");

// Slots of the scratch space. Tracepoint programs run in a task's own context with preemption off, so never two at a
// time on a CPU; an iterator can be preempted by them and has a slot to itself. Programs at functions can be preempted
// by each other: they claim one of theirs (claim.h).
enum rd_slot { RD_SLOT_EVENT = 0, RD_SLOT_SEED = 1, RD_SLOT_ARRIVAL = 2, RD_SLOT_FUNCTION = 3, RD_SLOTS = 6 };

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

// How many records of the bulk lane a cgroup may tell in a window of time; 0: any number.
volatile __u32 bulk_per_window __weak = 0;
// 1 while opens for reading are not told, whatever the policy wants.
volatile __u32 reads_off __weak = 0;
// The sensor's own process, by the number that the kernel knows it by: who reads the task iterator.
volatile __u32 reader_tgid __weak = 0;

static __always_inline __u64 rd_wake_flag(void) { return reader_sleeps ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP; }

static __always_inline void* rd_scratch_get(__u32 slot) { return bpf_map_lookup_elem(&scratch, &slot); }

static __always_inline int rd_is_quiet(__u32 tgid) { return bpf_map_lookup_elem(&quiet_pids, &tgid) != 0; }

static __always_inline struct rd_lane_count* rd_count_of(__u32 lane, __u32 kind) {
  __u32 row = lane * RD_KINDS_MAX + (kind & (RD_KINDS_MAX - 1));
  return bpf_map_lookup_elem(&lane_counts, &row);
}

// Of what the policy excludes the bulk lane alone tells. Yes, so that the question can end with it.
static __always_inline int rd_count_excluded(__u32 kind) {
  struct rd_lane_count* count = rd_count_of(RD_LANE_BULK, kind);
  if (count) __sync_fetch_and_add(&count->excluded, 1);
  return 1;
}

// Losses are rare and must add up: each is counted under its cgroup, or under none when the map is full (the reader has
// made those rows). The total comes last, because the reader looks at the map only when the total has risen.
static __always_inline void rd_count_lost(__u32 lane, enum rd_loss_cause cause, const struct rd_head* record) {
  struct rd_loss_key key = {
      .cgroup_id = record->actor.cgroup_id, .kind = record->kind & (RD_KINDS_MAX - 1), .lane = lane, .cause = cause};
  __u64* lost = bpf_map_lookup_elem(&losses, &key);
  if (!lost) {
    __u64 none = 0;
    bpf_map_update_elem(&losses, &key, &none, BPF_NOEXIST);
    lost = bpf_map_lookup_elem(&losses, &key);
  }
  if (!lost) {
    key.cgroup_id = 0;
    key.kind = 0;
    lost = bpf_map_lookup_elem(&losses, &key);
  }
  if (lost) __sync_fetch_and_add(lost, 1);
  struct rd_lane_count* count = rd_count_of(lane, record->kind);
  if (count) __sync_fetch_and_add(&count->lost, 1);
  count = rd_count_of(lane, 0);
  if (count) __sync_fetch_and_add(&count->lost, 1);
}

// A record that could not even be put together.
static __always_inline void rd_count_unsent(__u32 lane, const struct rd_head* record) {
  struct rd_lane_count* count = rd_count_of(lane, record->kind);
  if (count) __sync_fetch_and_add(&count->produced, 1);
  rd_count_lost(lane, RD_LOSS_RING, record);
}

// Whether a cgroup that holds `held` bytes of the ring may add `size`.
static __always_inline int rd_may_send(void* ring, __u64 held, __u64 size) {
  __u64 used = bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA);
  __u64 whole = bpf_ringbuf_query(ring, BPF_RB_RING_SIZE);
  __u64 common = whole / 4 * 3;
  if (used < common && held + size <= RD_SHARE_OF_FREE * (common - used)) return 1;
  return held + size <= whole / RD_SMALL_SHARE;
}

// Whether a cgroup may tell one more in this window. Processors that ask at the same time may each get a yes.
static __always_inline int rd_within_budget(struct rd_lane_share* share, __u64 time_ns) {
  __u64 window = time_ns >> RD_WINDOW_SHIFT;
  if (share->window != window) {
    share->window = window;
    share->told = 0;
  }
  __u64 told = share->told;
  __sync_fetch_and_add(&share->told, 1);
  return told < bulk_per_window;
}

// Sends a record of variable length. `ring` and `lane` belong together.
static __always_inline void rd_send(void* ring, __u32 lane, struct rd_head* record, __u64 bytes) {
  record->bytes = bytes;
  struct rd_lane_count* count = rd_count_of(lane, record->kind);
  if (count) __sync_fetch_and_add(&count->produced, 1);
  __u32 row = rd_share_row(lane, record->actor.cgroup_id);
  struct rd_lane_share* share = bpf_map_lookup_elem(&lane_shares, &row);
  if (!share) return;  // never; for the verifier
  if (lane == RD_LANE_BULK && bulk_per_window && !rd_within_budget(share, record->time_ns)) {
    rd_count_lost(lane, RD_LOSS_BUDGET, record);
    return;
  }
  __u64 size = rd_ring_bytes(bytes);
  // The reader's side is read first: what happens in between makes the share look larger than it is, never negative.
  __u64 taken = *(volatile __u64*)&share->taken;
  __u64 held = *(volatile __u64*)&share->sent - taken;
  if (!rd_may_send(ring, held, size)) {
    rd_count_lost(lane, RD_LOSS_SHARE, record);
    return;
  }
  __sync_fetch_and_add(&share->sent, size);
  if (bpf_ringbuf_output(ring, record, bytes, rd_wake_flag()) == 0) return;
  __sync_fetch_and_add(&share->sent, -size);
  rd_count_lost(lane, RD_LOSS_RING, record);
}
