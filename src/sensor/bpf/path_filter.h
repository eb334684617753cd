// Whether a policy wants to know of a file, a program or a cgroup: its path goes through the automaton of
// path_automaton.h, name by name, before anything is copied. What a directory comes to is remembered for a moment, so
// that a file costs two look-ups, and most none of the second kind.
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "sensor/bpf/kernel.h"
#include "sensor/bpf/object.h"
#include "sensor/bpf/path.h"
#include "sensor/bpf/policy.h"
#include "sensor/bpf/walk.h"
#include "sensor/filter_record.h"

enum { RD_DIRECTORIES = 256, RD_CGROUP_VERDICTS_MAX = 4096 };

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

// A directory's state holds while it is the same directory with the same name in the same place, under the same policy,
// and no longer than the clock stands: a directory above it may have been renamed.
struct rd_directory {
  __u64 dentry;  // this and the next three are addresses
  __u64 mount;
  __u64 inode;
  __u64 parent;
  __u64 name_hash;
  __u32 policy;
  __u32 clock;
  __u32 state;
  __u32 zero;
};

// Those that were asked for lately, each at its place: for every slot of the scratch space its own, so that nobody
// reads what another is about to write.
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, RD_DIRECTORIES* RD_SLOTS);
  __type(key, __u32);
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

RD_STEP rd_path_run_step(struct rd_walk* walk, struct rd_scratch* space) {
  __u32 left = walk->names_count;
  if (!left) return 1;
  __u32 place = (left - 1) & (RD_WALK_NAMES_MAX - 1);
  walk->names_count = place;
  walk->state = rd_path_step(walk->state, (void*)walk->names[place]);
  return 0;
}
RD_TURN(rd_path_run_step)

// The state behind the names that were pushed, the last one first.
RD_WALK __u32 rd_path_run(__u32 slot, __u32 state) {
  struct rd_scratch* space = rd_scratch_get(slot);
  struct rd_walk* walk = rd_walk_get(slot);
  if (!space || !walk) return state;
  walk->state = state;
  rd_take_steps(RD_PATH_STEPS_MAX, rd_path_run_step, slot, walk, space);
  return walk->state;
}

RD_STEP rd_path_names_step(struct rd_walk* walk, struct rd_scratch* space) {
  if (walk->node == walk->mount_root) return rd_walk_leave_mount(walk);
  struct dentry* dentry = (void*)walk->node;
  struct dentry* parent = BPF_CORE_READ(dentry, d_parent);
  walk->is_whole = dentry == parent || !parent;
  if (walk->is_whole) return 1;
  rd_push_name(walk, BPF_CORE_READ(dentry, d_name.name));
  walk->node = (__u64)parent;
  return 0;
}
RD_TURN(rd_path_names_step)

// The state of a whole path from `start` on; that of a path which is too deep is the dead one.
RD_WALK __u32 rd_path_state_of(__u32 slot, __u64 dentry, __u64 vfsmount, __u32 start) {
  struct rd_scratch* space = rd_scratch_get(slot);
  struct rd_walk* walk = rd_walk_get(slot);
  if (!space || !walk) return start;
  rd_walk_begin(walk, dentry, vfsmount);
  rd_take_steps(RD_PATH_STEPS_MAX, rd_path_names_step, slot, walk, space);
  return walk->is_whole ? rd_path_run(slot, start) : start & ~(RD_PATH_STATES_MAX - 1);
}

// The kernel's hash of a name is of the directory too that the name is in. Addresses are of no use: the verifier lets
// nobody calculate with those that are read in place.
static __always_inline struct rd_directory* rd_directory_place(__u32 slot, __u64 name_hash) {
  __u32 place = slot * RD_DIRECTORIES + (name_hash & (RD_DIRECTORIES - 1));
  return bpf_map_lookup_elem(&directories, &place);
}

static __always_inline int rd_is_same_directory(const struct rd_directory* a, const struct rd_directory* b) {
  return a->dentry == b->dentry && a->mount == b->mount && a->inode == b->inode && a->parent == b->parent &&
         a->name_hash == b->name_hash && a->policy == b->policy && a->clock == b->clock;
}

static __always_inline __u32 rd_directory_state(__u32 slot, struct dentry* dentry, struct vfsmount* mount, __u32 policy,
                                                int in_place) {
  struct rd_walk* walk = rd_walk_get(slot);
  if (!walk) return rd_path_start(policy, RD_PATH_DEAD);  // never; for the verifier
  if (!in_place) rd_fill_bytes(walk->directory, dentry);
  struct rd_directory now = {
      .dentry = (__u64)dentry,
      .mount = (__u64)mount,
      .inode = (__u64)rd_field_at(in_place, walk->directory, dentry, d_inode),
      .parent = (__u64)rd_field_at(in_place, walk->directory, dentry, d_parent),
      .name_hash = rd_field_at(in_place, walk->directory, dentry, d_name.hash) |
                   (__u64)rd_field_at(in_place, walk->directory, dentry, d_name.len) << 32,
      .policy = policy,
      .clock = filter_clock,
  };
  struct rd_directory* known = rd_directory_place(slot, now.name_hash);
  if (!known) return rd_path_start(policy, RD_PATH_DEAD);  // never; for the verifier
  if (rd_is_same_directory(known, &now)) return known->state;
  *known = now;
  known->state = rd_path_state_of(slot, rd_number(dentry), rd_number(mount), rd_path_start(policy, RD_PATH_FILES));
  return known->state;
}

// What the policy says of a file: rd_path_flag.
static __always_inline __u32 rd_flags_of(__u32 slot, struct dentry* dentry, struct vfsmount* mount, __u32 policy,
                                         int in_place) {
  if (dentry == rd_read_at(in_place, mount, mnt_root)) {  // mounted over another: its own name says nothing
    return rd_path_flags(
        rd_path_state_of(slot, rd_number(dentry), rd_number(mount), rd_path_start(policy, RD_PATH_FILES)));
  }
  struct rd_walk* walk = rd_walk_get(slot);
  if (!walk) return 0;  // never; for the verifier
  if (!in_place) rd_fill_bytes(walk->name, dentry);
  struct dentry* parent = rd_field_at(in_place, walk->name, dentry, d_parent);
  __u32 state = rd_directory_state(slot, parent, mount, policy, in_place);
  return rd_path_flags(rd_path_step(state, rd_field_at(in_place, walk->name, dentry, d_name.name)));
}

static __always_inline __u32 rd_flags_of_path(__u32 slot, struct path* path, __u32 policy) {
  return rd_flags_of(slot, BPF_CORE_READ(path, dentry), BPF_CORE_READ(path, mnt), policy, 0);
}

RD_STEP rd_cgroup_names_step(struct rd_walk* walk, struct rd_scratch* space) {
  struct kernfs_node* node = (void*)walk->node;
  struct kernfs_node* parent = rd_kernfs_parent(node);
  if (!parent) return 1;
  rd_push_name(walk, BPF_CORE_READ(node, name));
  walk->node = (__u64)parent;
  return 0;
}
RD_TURN(rd_cgroup_names_step)

RD_WALK __u32 rd_cgroup_is_excluded(__u32 slot, __u64 css_set_address, __u32 policy) {
  struct css_set* set = (void*)css_set_address;
  __u64 id = BPF_CORE_READ(set, dfl_cgrp, kn, id);
  struct rd_cgroup_verdict* known = bpf_map_lookup_elem(&cgroup_verdicts, &id);
  if (known && known->policy == policy) return known->excluded;
  struct rd_scratch* space = rd_scratch_get(slot);
  struct rd_walk* walk = rd_walk_get(slot);
  if (!space || !walk) return 0;
  walk->node = (__u64)BPF_CORE_READ(set, dfl_cgrp, kn);
  walk->names_count = 0;
  rd_take_steps(RD_CGROUP_STEPS_MAX, rd_cgroup_names_step, slot, walk, space);
  __u32 state = rd_path_run(slot, rd_path_start(policy, RD_PATH_CGROUPS));
  struct rd_cgroup_verdict verdict = {.policy = policy, .excluded = (rd_path_flags(state) & RD_PATH_CGROUP) != 0};
  bpf_map_update_elem(&cgroup_verdicts, &id, &verdict, BPF_ANY);
  return verdict.excluded;
}

// Whether the policy leaves out what the current task does: for its program or its cgroup.
static __always_inline int rd_actor_is_excluded(__u32 slot, __u32 policy) {
  struct task_struct* task = (struct task_struct*)bpf_get_current_task();
  if (rd_policy_has(policy, RD_PATH_CGROUP) &&
      rd_cgroup_is_excluded(slot, (__u64)BPF_CORE_READ(task, cgroups), policy)) {
    return 1;
  }
  if (!rd_policy_has(policy, RD_PATH_PROGRAM)) return 0;
  struct file* program = BPF_CORE_READ(task, mm, exe_file);
  return program && (rd_flags_of_path(slot, &program->f_path, policy) & RD_PATH_PROGRAM) != 0;
}
