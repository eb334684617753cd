// Whether a policy wants to know of a file, a program or a cgroup: its path goes through the automaton of
// path_automaton.h, name by name, before anything is copied. What a directory comes to is remembered for a moment, so
// that a file costs two look-ups, and most none of the second kind.
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "sensor/bpf/kernel.h"
#include "sensor/bpf/path.h"
#include "sensor/bpf/policy.h"
#include "sensor/filter_record.h"

enum { RD_DIRECTORIES_MAX = 8192, RD_CGROUP_VERDICTS_MAX = 4096 };

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, RD_PATH_STATES_MAX* RD_HALVES);
  __type(key, __u32);
  __type(value, struct rd_path_state);
} path_states __weak SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, RD_PATH_EDGES_MAX* RD_HALVES);
  __type(key, struct rd_path_edge);
  __type(value, __u32);
} path_edges __weak SEC(".maps");

enum { RD_PATH_NAMES_MAX = 128 };  // a power of two above RD_PATH_STEPS_MAX

// The names of a path that is being walked, leaf first, as addresses: a stack. Its height lies in memory, where the
// verifier does not follow it into every branch.
struct rd_path_names {
  __u64 names[RD_PATH_NAMES_MAX];
  __u32 count;
};

static __always_inline void rd_push_name(struct rd_path_names* stack, const void* name) {
  __u32 place = stack->count & (RD_PATH_NAMES_MAX - 1);
  stack->names[place] = (__u64)name;
  stack->count = place + 1;
}

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct rd_path_names);
} path_names __weak SEC(".maps");

struct rd_directory_key {
  __u64 dentry;
  __u64 mount;
};

// A directory's state holds while it is the same directory with the same name in the same place, under the same policy,
// and no longer than the clock stands: a directory above it may have been renamed.
struct rd_directory {
  __u64 inode;
  __u64 parent;
  __u64 name_hash;
  __u32 policy;
  __u32 clock;
  __u32 state;
  __u32 zero;
};

struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, RD_DIRECTORIES_MAX);
  __type(key, struct rd_directory_key);
  __type(value, struct rd_directory);
} directories __weak SEC(".maps");

struct rd_cgroup_verdict {
  __u32 policy;
  __u32 excluded;
};

// Cgroup ids are never given twice.
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, RD_CGROUP_VERDICTS_MAX);
  __type(key, __u64);
  __type(value, struct rd_cgroup_verdict);
} cgroup_verdicts __weak SEC(".maps");

volatile __u32 filter_clock __weak = 0;  // the reader moves it on every second

static __always_inline int rd_policy_has(__u32 policy, __u32 kinds) {
  return (policy >> RD_POLICY_KINDS_SHIFT & kinds) != 0;
}

static __always_inline __u32 rd_path_start(__u32 policy, __u32 start) {
  return (policy & RD_POLICY_HALF) * RD_PATH_STATES_MAX + start;
}

// `name` is a kernel address. A longer name than any pattern has is cut, and still longer than any pattern has.
static __always_inline __u32 rd_path_step(__u32 state, const void* name) {
  struct rd_path_state* row = bpf_map_lookup_elem(&path_states, &state);
  if (!row) return state;
  if (row->flags & RD_PATH_HAS_EDGES) {
    struct rd_path_edge edge = {.state = state};
    bpf_probe_read_kernel_str(edge.name, sizeof(edge.name), name);
    __u32* next = bpf_map_lookup_elem(&path_edges, &edge);
    if (next) return *next;
  }
  return row->next;
}

static __always_inline __u32 rd_path_flags(__u32 state) {
  struct rd_path_state* row = bpf_map_lookup_elem(&path_states, &state);
  return row ? row->flags : 0;
}

// The state behind the names that were pushed, the last one first. Global as the walks of path.h.
__weak __noinline __u32 rd_path_run(__u32 state) {
  __u32 zero = 0;
  struct rd_path_names* stack = bpf_map_lookup_elem(&path_names, &zero);
  if (!stack) return state;
  for (int step = 0; step < RD_PATH_STEPS_MAX; step++) {
    __u32 left = stack->count;
    if (!left) break;
    __u32 place = (left - 1) & (RD_PATH_NAMES_MAX - 1);
    stack->count = place;
    state = rd_path_step(state, (void*)stack->names[place]);
  }
  return state;
}

// The state of a whole path from `start` on; that of a path which is too deep is the dead one.
__weak __noinline __u32 rd_path_state_of(__u64 dentry_address, __u64 vfsmount_address, __u32 start) {
  __u32 zero = 0;
  struct rd_path_names* names = bpf_map_lookup_elem(&path_names, &zero);
  if (!names) return start;
  struct dentry* dentry = (void*)dentry_address;
  struct vfsmount* vfsmount = (void*)vfsmount_address;
  struct mount* mount = (void*)vfsmount - bpf_core_field_offset(struct mount, mnt);
  struct dentry* root = BPF_CORE_READ(vfsmount, mnt_root);
  int whole = 0;
  names->count = 0;
  for (int step = 0; step < RD_PATH_STEPS_MAX; step++) {
    if (dentry == root) {
      struct mount* above = BPF_CORE_READ(mount, mnt_parent);
      if (above == mount || !above) {
        whole = 1;
        break;
      }
      dentry = BPF_CORE_READ(mount, mnt_mountpoint);
      mount = above;
      root = BPF_CORE_READ(mount, mnt.mnt_root);
      continue;
    }
    struct dentry* parent = BPF_CORE_READ(dentry, d_parent);
    if (dentry == parent || !parent) {
      whole = 1;
      break;
    }
    rd_push_name(names, BPF_CORE_READ(dentry, d_name.name));
    dentry = parent;
  }
  if (!whole) return start & ~(RD_PATH_STATES_MAX - 1);
  return rd_path_run(start);
}

static __always_inline __u32 rd_directory_state(struct dentry* dentry, struct vfsmount* mount, __u32 policy) {
  struct rd_directory_key key = {(__u64)dentry, (__u64)mount};
  struct rd_directory now = {
      .inode = (__u64)BPF_CORE_READ(dentry, d_inode),
      .parent = (__u64)BPF_CORE_READ(dentry, d_parent),
      .name_hash = BPF_CORE_READ(dentry, d_name.hash_len),
      .policy = policy,
      .clock = filter_clock,
  };
  struct rd_directory* known = bpf_map_lookup_elem(&directories, &key);
  if (known && known->inode == now.inode && known->parent == now.parent && known->name_hash == now.name_hash &&
      known->policy == now.policy && known->clock == now.clock) {
    return known->state;
  }
  now.state = rd_path_state_of(key.dentry, key.mount, rd_path_start(policy, RD_PATH_FILES));
  bpf_map_update_elem(&directories, &key, &now, BPF_ANY);
  return now.state;
}

// What the policy says of a file: rd_path_flag.
static __always_inline __u32 rd_flags_of_path(struct path* path, __u32 policy) {
  struct dentry* dentry = BPF_CORE_READ(path, dentry);
  struct vfsmount* mount = BPF_CORE_READ(path, mnt);
  if (dentry == BPF_CORE_READ(mount, mnt_root)) {  // mounted over another: its own name says nothing
    return rd_path_flags(rd_path_state_of((__u64)dentry, (__u64)mount, rd_path_start(policy, RD_PATH_FILES)));
  }
  __u32 state = rd_directory_state(BPF_CORE_READ(dentry, d_parent), mount, policy);
  return rd_path_flags(rd_path_step(state, BPF_CORE_READ(dentry, d_name.name)));
}

__weak __noinline __u32 rd_cgroup_is_excluded(__u64 css_set_address, __u32 policy) {
  struct css_set* set = (void*)css_set_address;
  __u64 id = BPF_CORE_READ(set, dfl_cgrp, kn, id);
  struct rd_cgroup_verdict* known = bpf_map_lookup_elem(&cgroup_verdicts, &id);
  if (known && known->policy == policy) return known->excluded;
  __u32 zero = 0;
  struct rd_path_names* names = bpf_map_lookup_elem(&path_names, &zero);
  if (!names) return 0;
  struct kernfs_node* node = BPF_CORE_READ(set, dfl_cgrp, kn);
  names->count = 0;
  for (int step = 0; step < RD_CGROUP_STEPS_MAX; step++) {
    struct kernfs_node* parent = rd_kernfs_parent(node);
    if (!parent) break;
    rd_push_name(names, BPF_CORE_READ(node, name));
    node = parent;
  }
  __u32 state = rd_path_run(rd_path_start(policy, RD_PATH_CGROUPS));
  struct rd_cgroup_verdict verdict = {.policy = policy, .excluded = (rd_path_flags(state) & RD_PATH_CGROUP) != 0};
  bpf_map_update_elem(&cgroup_verdicts, &id, &verdict, BPF_ANY);
  return verdict.excluded;
}

// Whether the policy leaves out what the current task does: for its program or its cgroup.
static __always_inline int rd_actor_is_excluded(__u32 policy) {
  struct task_struct* task = (struct task_struct*)bpf_get_current_task();
  if (rd_policy_has(policy, RD_PATH_CGROUP) && rd_cgroup_is_excluded((__u64)BPF_CORE_READ(task, cgroups), policy)) {
    return 1;
  }
  if (!rd_policy_has(policy, RD_PATH_PROGRAM)) return 0;
  struct file* program = BPF_CORE_READ(task, mm, exe_file);
  return program && (rd_flags_of_path(&program->f_path, policy) & RD_PATH_PROGRAM) != 0;
}
