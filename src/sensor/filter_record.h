// The tables by which the programs decide what is told, for both sides. Plain C.
#pragma once

#include <linux/types.h>

// What a path is to a policy; bits of a state's flags.
enum rd_path_flag {
  RD_PATH_READ = 1,
  RD_PATH_EXCLUDED = 2,
  RD_PATH_PROGRAM = 4,  // excluded as a program
  RD_PATH_CGROUP = 8,   // excluded as a cgroup
  RD_PATH_KINDS = 15,
  RD_PATH_HAS_EDGES = 16,  // some names lead elsewhere than `next`
};

enum {
  RD_PATH_DEAD = 0,  // no pattern fits, whatever follows
  RD_PATH_FILES = 1,
  RD_PATH_CGROUPS = 2,
  RD_PATH_STATES_MAX = 4096,  // of one policy; the tables hold two, so that one can be exchanged under load
  RD_PATH_EDGES_MAX = 8192,
  RD_PATH_NAME_BYTES = 60,
};

// A state: where names lead that have no edge, and what a path that ends here is.
struct rd_path_state {
  __u32 next;
  __u32 flags;
};

struct rd_path_edge {
  __u32 state;
  char name[RD_PATH_NAME_BYTES];  // zeroes behind it
};

// An excluded network: IPv4 as ::ffff:a.b.c.d. The half of the tables is its first byte and always counts.
struct rd_network_key {
  __u32 bits;  // of the bytes that follow
  __u8 half;
  __u8 address[16];
  __u8 zero[3];
};
enum { RD_NETWORK_HALF_BITS = 8, RD_NETWORK_BITS = RD_NETWORK_HALF_BITS + 128, RD_NETWORKS_MAX = 1024 };

// The policy that holds, in one word, so that it changes at once: bit 0 says which half of the tables, from bit 1 on
// stands which kinds of pattern it has, bit 6 whether it has networks, the rest counts policies.
enum {
  RD_POLICY_HALF = 1,
  RD_POLICY_KINDS_SHIFT = 1,
  RD_POLICY_HAS_NETWORKS = 1 << 6,
  RD_POLICY_COUNT_SHIFT = 8,
};
