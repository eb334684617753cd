// Security records go into the critical lane, where a process that makes them in a loop must not push out the starts
// and ends of others: of one kind, each process may send RD_RATE_MAX a second. What it does beyond is counted as lost.
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "sensor/bpf/lanes.h"

enum { RD_RATE_PROCESSES_MAX = 4096, RD_RATE_MAX = 200, RD_RATE_WINDOW_NS = 1000000000 };

struct rd_rate_key {
  __u64 start_ns;
  __u32 pid;
  __u32 kind;
};

struct rd_rate {
  __u64 window_ns;  // when it began
  __u64 sent;
  __u64 missed;  // 1: some were not sent since the last that was
};

struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, RD_RATE_PROCESSES_MAX);
  __type(key, struct rd_rate_key);
  __type(value, struct rd_rate);
} rates __weak SEC(".maps");

// Whether the record may be sent; if not it is counted. `missed` is
// 1 where some of the kind were not since the last one.
static __always_inline int rd_passes_rate(const struct rd_head* record, __u32* missed) {
  *missed = 0;
  struct rd_rate_key key = {.start_ns = record->actor.start_ns, .pid = record->actor.pid, .kind = record->kind};
  struct rd_rate* rate = bpf_map_lookup_elem(&rates, &key);
  if (!rate) {
    struct rd_rate first = {.window_ns = record->time_ns, .sent = 1};
    bpf_map_update_elem(&rates, &key, &first, BPF_ANY);
    return 1;
  }
  // Two threads may both begin a window: it then lets a few more through.
  if (record->time_ns - rate->window_ns >= RD_RATE_WINDOW_NS) {
    rate->window_ns = record->time_ns;
    rate->sent = 0;
  }
  if (rate->sent < RD_RATE_MAX) {
    __sync_fetch_and_add(&rate->sent, 1);
    *missed = rate->missed;
    rate->missed = 0;
    return 1;
  }
  rate->missed = 1;
  struct rd_lane_count* count = rd_count_of(RD_LANE_CRITICAL, record->kind);
  if (count) __sync_fetch_and_add(&count->produced, 1);
  rd_count_lost(RD_LANE_CRITICAL, RD_LOSS_RATE, record);
  return 0;
}

static __always_inline void rd_send_security(struct rd_head* record, __u64 bytes) {
  __u32 missed = 0;
  if (rd_passes_rate(record, &missed)) rd_send(&ring_critical, RD_LANE_CRITICAL, record, bytes);
}
