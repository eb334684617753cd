// The paths that the kernel resolved for a call, kept from its security hook, where they are known, to its end, where
// it is known whether it succeeded. Only in the lsm tier; a call without an entry is told by what the caller gave.
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "sensor/bpf/path.h"
#include "sensor/file/file_record.h"

enum {
  RD_RESOLVED_END = 4096,  // where the paths may at most begin their last component
  RD_RESOLVED_TO_END = RD_RESOLVED_END + RD_NAME_BYTES + 4096,
  RD_RESOLVED_BYTES = RD_RESOLVED_TO_END + 2 * RD_NAME_BYTES,
  RD_RESOLVED_PATH_MAX = RD_RESOLVED_END + RD_NAME_BYTES,
  RD_RESOLVED_MAX = 4096,  // threads between hook and end
};

struct rd_resolved {
  __u64 inode_address;
  __u64 inode;  // of the first path, as it was; 0 if it is only about to exist
  __u64 size;
  __u32 mode;
  __u32 uid;
  __u32 gid;
  __u32 device;
  __u32 action;       // rd_file_action
  __u32 is_excluded;  // by the policy: there are no paths
  __u16 path_bytes;
  __u16 to_path_bytes;
  __u32 zero;
  __u8 data[RD_RESOLVED_BYTES];  // the paths, leaf first
};

_Static_assert(sizeof(struct rd_resolved) <= RD_SCRATCH_BYTES, "fits the scratch space");

// By thread. Who ends a call takes its entry out, whether it succeeded or not.
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, RD_RESOLVED_MAX);
  __type(key, __u64);
  __type(value, struct rd_resolved);
} resolved __weak SEC(".maps");

// Set before loading: whether the programs at functions are there, which fill `resolved`.
const volatile __u32 is_tier_lsm __weak = 0;

// What the hook of this thread's call found, if it was one of `action`.
static __always_inline struct rd_resolved* rd_resolved_get(__u32 action) {
  if (!is_tier_lsm) return 0;
  __u64 thread = bpf_get_current_pid_tgid();
  struct rd_resolved* found = bpf_map_lookup_elem(&resolved, &thread);
  return found && found->action == action ? found : 0;
}

static __always_inline void rd_resolved_drop(void) {
  if (!is_tier_lsm) return;
  __u64 thread = bpf_get_current_pid_tgid();
  bpf_map_delete_elem(&resolved, &thread);
}
