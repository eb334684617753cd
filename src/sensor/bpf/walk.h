// Walks along chains of the kernel, step by step. What a walk knows between two steps lies in memory, where the
// verifier does not follow it into every branch.
//
// Files of programs that are loaded only where the kernel has bpf_loop() define RD_HAS_LOOPS before they include
// anything: the verifier then goes through a step once, and not as often as it may be taken. The walks of the others
// are global functions, which it goes through once a program and not once a call. Such functions of old kernels take
// numbers only, hence pointers as such.
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "sensor/bpf/lanes.h"
#include "sensor/bpf/object.h"

enum { RD_WALK_NAMES_MAX = 128 };  // a power of two above RD_PATH_STEPS_MAX

struct rd_walk {
  __u64 names[RD_WALK_NAMES_MAX];  // those that were passed, leaf first, as addresses: a stack
  __u32 names_count;
  __u32 is_whole;  // it came to the end
  __u64 node;      // where it is: a dentry or kernfs_node
  __u64 mount;
  __u64 mount_root;
  __u64 at;     // the byte of the scratch space where the next name goes
  __u64 limit;  // where it may go at most
  __u32 state;  // of the automaton
  __u32 zero;
  // What is read at once of the file, name and directory in question: too much for the stack.
  struct rd_file_bytes file;
  struct rd_dentry_bytes name;
  struct rd_dentry_bytes directory;
};

// One a slot of the scratch space: who has the slot has the walk.
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, RD_SLOTS);
  __type(key, __u32);
  __type(value, struct rd_walk);
} walks __weak SEC(".maps");

static __always_inline struct rd_walk* rd_walk_get(__u32 slot) { return bpf_map_lookup_elem(&walks, &slot); }

static __always_inline void rd_push_name(struct rd_walk* walk, const void* name) {
  __u32 place = walk->names_count & (RD_WALK_NAMES_MAX - 1);
  walk->names[place] = (__u64)name;
  walk->names_count = place + 1;
}

// A step is a function of the walk and the scratch space, and says whether it was the last. It is called and not
// inlined: verifiers before 6.4 refuse loops that the compiler lays out with their head behind their end.
#define RD_STEP static __noinline __attribute__((unused)) int
#ifdef RD_HAS_LOOPS
#define RD_WALK static __noinline __attribute__((unused))
#define RD_TURN(step)                                                                         \
  static __noinline __attribute__((unused)) long step##_turn(__u32 turn, const __u32* slot) { \
    struct rd_walk* walk = rd_walk_get(*slot);                                                \
    struct rd_scratch* space = rd_scratch_get(*slot);                                         \
    return walk && space ? step(walk, space) : 1;                                             \
  }
#define rd_take_steps(most, step, slot, walk, space) bpf_loop(most, step##_turn, &slot, 0)
#else
#define RD_WALK __weak __noinline
#define RD_TURN(step)
#define rd_take_steps(most, step, slot, walk, space) \
  for (int turn = 0; turn < most; turn++) {          \
    if (step(walk, space)) break;                    \
  }
#endif
