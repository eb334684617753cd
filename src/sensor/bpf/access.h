// Whose memory a call was let at: kept from the security hook, which knows the process itself, to the end of the call.
// Only in the lsm tier; otherwise there is only the number that the caller gave.
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "sensor/bpf/kernel.h"
#include "sensor/bpf/resolved.h"
#include "sensor/privilege/privilege_record.h"

enum { RD_ACCESSES_MAX = 1024 };

struct rd_access {
  __u64 start_ns;
  __u32 pid;
  __u32 zero;
};

// By thread. The end of the call takes it out.
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, RD_ACCESSES_MAX);
  __type(key, __u64);
  __type(value, struct rd_access);
} accesses __weak SEC(".maps");

static __always_inline void rd_fill_target(struct rd_trace* record, struct task_struct* target) {
  struct task_struct* leader = BPF_CORE_READ(target, group_leader);
  record->target_pid = BPF_CORE_READ(target, tgid);
  record->target_start_ns = BPF_CORE_READ(leader, start_boottime);
}

static __always_inline void rd_access_take(struct rd_trace* record) {
  if (!is_tier_lsm) return;
  __u64 thread = bpf_get_current_pid_tgid();
  struct rd_access* access = bpf_map_lookup_elem(&accesses, &thread);
  if (!access) return;
  record->target_pid = access->pid;
  record->target_start_ns = access->start_ns;
  bpf_map_delete_elem(&accesses, &thread);
}
