// Records of changes of the kernel that its security hooks have begun, kept to the end of the call, where it is known
// whether it succeeded. Only in the lsm tier.
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "sensor/bpf/resolved.h"
#include "sensor/kernel_change/kernel_change_record.h"

enum { RD_KEPT_CHANGES_MAX = 512, RD_KERNEL_DATA = __builtin_offsetof(struct rd_kernel, data) };

// By thread. Who ends a call takes its entry out, whether it succeeded or not.
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, RD_KEPT_CHANGES_MAX);
  __type(key, __u64);
  __type(value, struct rd_kernel);
} kept_changes __weak SEC(".maps");

static __always_inline struct rd_kernel* rd_kept_change_get(void) {
  if (!is_tier_lsm) return 0;
  __u64 thread = bpf_get_current_pid_tgid();
  return bpf_map_lookup_elem(&kept_changes, &thread);
}

static __always_inline void rd_kept_change_drop(void) {
  __u64 thread = bpf_get_current_pid_tgid();
  bpf_map_delete_elem(&kept_changes, &thread);
}
