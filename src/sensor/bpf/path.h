// Names that are chains in the kernel: file paths (dentry and mount) and cgroup paths (kernfs). They are written leaf
// first, each component with a NUL behind it; the user side turns them round. The walk takes no lock: a rename at the
// same moment can mix old and new components.
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "sensor/bpf/kernel.h"
#include "sensor/bpf/lanes.h"
#include "sensor/bpf/walk.h"

enum {
  RD_NAME_BYTES = 256,       // NAME_MAX and its NUL
  RD_PATH_STEPS_MAX = 96,    // components and mount points of one path
  RD_CGROUP_STEPS_MAX = 48,  // components of both paths of a process
  RD_CUT_MARK_BYTES = 4,     // with its NUL
};

// The last byte of the scratch space at which a component may start.
enum { RD_NAME_LIMIT = RD_SCRATCH_BYTES - RD_NAME_BYTES };

// One component at scratch byte `at`: the end of it, or 0 when it does not fit or cannot be read.
static __always_inline __u64 rd_put_name(struct rd_scratch* space, __u64 at, __u64 limit, const void* name) {
  if (at > limit || at > RD_NAME_LIMIT) return 0;
  long size = bpf_probe_read_kernel_str(space->bytes + at, RD_NAME_BYTES, name);
  return size > 0 ? at + size : 0;
}

// Stands in front of a path whose upper part did not fit, as a component of its own ("…").
static __always_inline __u64 rd_put_cut_mark(struct rd_scratch* space, __u64 at) {
  if (at > RD_NAME_LIMIT) return at;
  __builtin_memcpy(space->bytes + at, "\xe2\x80\xa6", RD_CUT_MARK_BYTES);
  return at + RD_CUT_MARK_BYTES;
}

// A walk goes from a name to the root of its namespace.
static __always_inline void rd_walk_begin(struct rd_walk* walk, __u64 dentry, __u64 vfsmount) {
  struct vfsmount* mount = (void*)vfsmount;
  walk->node = dentry;
  walk->mount = vfsmount - bpf_core_field_offset(struct mount, mnt);
  walk->mount_root = (__u64)BPF_CORE_READ(mount, mnt_root);
  walk->names_count = 0;
  walk->is_whole = 0;
}

// From the root of a mount to the directory that it is mounted on. Whether there is none.
static __always_inline int rd_walk_leave_mount(struct rd_walk* walk) {
  struct mount* mount = (void*)walk->mount;
  struct mount* above = BPF_CORE_READ(mount, mnt_parent);
  walk->is_whole = above == mount || !above;
  if (walk->is_whole) return 1;
  walk->node = (__u64)BPF_CORE_READ(mount, mnt_mountpoint);
  walk->mount = (__u64)above;
  walk->mount_root = (__u64)BPF_CORE_READ(above, mnt.mnt_root);
  return 0;
}

RD_STEP rd_put_path_step(struct rd_walk* walk, struct rd_scratch* space) {
  if (walk->node == walk->mount_root) return rd_walk_leave_mount(walk);
  struct dentry* dentry = (void*)walk->node;
  struct dentry* parent = BPF_CORE_READ(dentry, d_parent);
  __u64 end = rd_put_name(space, walk->at, walk->limit, BPF_CORE_READ(dentry, d_name.name));
  if (!end) return 1;
  walk->at = end;
  walk->node = (__u64)parent;
  walk->is_whole = dentry == parent || !parent;
  return walk->is_whole;
}
RD_TURN(rd_put_path_step)

// Writes into the scratch space from byte `at` on, where the last component starts at `limit` at most; the new end.
RD_WALK __u64 rd_put_path(__u32 slot, __u64 dentry, __u64 vfsmount, __u64 at, __u64 limit) {
  struct rd_scratch* space = rd_scratch_get(slot);
  struct rd_walk* walk = rd_walk_get(slot);
  if (!space || !walk || !dentry) return at;
  rd_walk_begin(walk, dentry, vfsmount);
  walk->at = at;
  walk->limit = limit;
  rd_take_steps(RD_PATH_STEPS_MAX, rd_put_path_step, slot, walk, space);
  return walk->is_whole ? walk->at : rd_put_cut_mark(space, walk->at);
}

static __always_inline struct kernfs_node* rd_kernfs_parent(struct kernfs_node* node) {
  if (bpf_core_field_exists(node->__parent)) return BPF_CORE_READ(node, __parent);
  struct kernfs_node___before_6_15* old = (void*)node;
  return (struct kernfs_node*)BPF_CORE_READ(old, parent);
}

// The version 1 cgroup of one controller: 0 at the root, and where version 2 has the controller.
static __always_inline struct kernfs_node* rd_cgroup_of(struct css_set* set, __u64 controller) {
  struct cgroup_subsys_state* state = 0;
  bpf_probe_read_kernel(&state, sizeof(state),
                        (void*)set + bpf_core_field_offset(struct css_set, subsys) + controller * sizeof(state));
  if (BPF_CORE_READ(state, cgroup, root) == BPF_CORE_READ(set, dfl_cgrp, root)) return 0;
  struct kernfs_node* node = BPF_CORE_READ(state, cgroup, kn);
  return rd_kernfs_parent(node) ? node : 0;
}

// Where containers are told apart on hosts that have version 1: every runtime sets limits of memory, processes or
// devices, and a controller can be off. 0 if there is none.
static __always_inline struct kernfs_node* rd_cgroup_v1_node(struct css_set* set) {
  struct kernfs_node* node = 0;
  if (bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id)) {
    node = rd_cgroup_of(set, bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id));
  }
  if (!node && bpf_core_enum_value_exists(enum cgroup_subsys_id, pids_cgrp_id)) {
    node = rd_cgroup_of(set, bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id));
  }
  if (!node && bpf_core_enum_value_exists(enum cgroup_subsys_id, devices_cgrp_id)) {
    node = rd_cgroup_of(set, bpf_core_enum_value(enum cgroup_subsys_id, devices_cgrp_id));
  }
  return node;
}

// The version 2 path, an empty component, the version 1 path; the last two only where there is one.
__weak __noinline __u64 rd_put_cgroup(__u32 slot, __u64 css_set_address, __u64 at, __u64 limit) {
  struct rd_scratch* space = rd_scratch_get(slot);
  if (!space) return at;
  struct css_set* set = (void*)css_set_address;
  struct kernfs_node* node = BPF_CORE_READ(set, dfl_cgrp, kn);
  struct kernfs_node* next = rd_cgroup_v1_node(set);
  for (int step = 0; step < RD_CGROUP_STEPS_MAX; step++) {
    struct kernfs_node* parent = rd_kernfs_parent(node);
    if (!parent) {
      if (!next || at > limit || at > RD_NAME_LIMIT) break;
      space->bytes[at++] = 0;
      node = next;
      next = 0;
      continue;
    }
    __u64 end = rd_put_name(space, at, limit, BPF_CORE_READ(node, name));
    if (!end) break;
    at = end;
    node = parent;
  }
  return at;
}
