// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Cgroups that are made and removed, and processes that are put into one: from these the user side knows a container
// before its first program runs.
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "sensor/bpf/actor.h"
#include "sensor/bpf/kernel.h"
#include "sensor/bpf/lanes.h"
#include "sensor/bpf/path.h"
#include "sensor/container/container_record.h"

// For layout_test.cc: brings the types into the BTF.
const struct rd_cgroup* rd_layout_cgroup __attribute__((unused));

char rd_license[] __weak SEC("license") = "Dual BSD/GPL";

enum { RD_CGROUP_FIXED = __builtin_offsetof(struct rd_cgroup, path) };

_Static_assert(sizeof(struct rd_cgroup) <= RD_SCRATCH_BYTES, "fits the scratch space");

static __always_inline void tell_cgroup(struct cgroup* cgroup, const char* path, __u32 action,
                                        struct task_struct* task) {
  struct rd_cgroup* record = rd_scratch_get(RD_SLOT_EVENT);
  if (!record) return;
  rd_fill_head(&record->head, RD_CGROUP, task);
  record->cgroup_id = BPF_CORE_READ(cgroup, kn, id);
  record->hierarchy = BPF_CORE_READ(cgroup, root, hierarchy_id);
  record->action = action;
  long size = bpf_probe_read_kernel_str(record->path, RD_CGROUP_PATH_BYTES, path);
  if (size <= 0 || size > RD_CGROUP_PATH_BYTES) return;
  record->path_bytes = size;
  rd_send(&ring_critical, RD_LANE_CRITICAL, &record->head, RD_CGROUP_FIXED + size);
}

SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(container_made, struct cgroup* cgroup, const char* path) {
  tell_cgroup(cgroup, path, RD_CGROUP_MADE, (struct task_struct*)bpf_get_current_task());
  return 0;
}

SEC("tp_btf/cgroup_rmdir")
int BPF_PROG(container_removed, struct cgroup* cgroup, const char* path) {
  tell_cgroup(cgroup, path, RD_CGROUP_REMOVED, (struct task_struct*)bpf_get_current_task());
  return 0;
}

// Version 1 has a hierarchy for each controller; the two that tell containers apart are enough.
SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(container_attached, struct cgroup* cgroup, const char* path, struct task_struct* task) {
  if (BPF_CORE_READ(task, pid) != BPF_CORE_READ(task, tgid)) return 0;  // a thread by itself
  struct css_set* set = BPF_CORE_READ(task, cgroups);
  struct kernfs_node* node = BPF_CORE_READ(cgroup, kn);
  if (node != BPF_CORE_READ(set, dfl_cgrp, kn) && node != rd_cgroup_v1_node(set)) return 0;
  tell_cgroup(cgroup, path, RD_CGROUP_ATTACHED, task);
  return 0;
}
