// What every record starts with, for both sides: the programs fill it, the user side reads it. Plain C, fixed widths.
// Sizes are asserted here, so that the two compilers agree; layout_test.cc compares the offsets through BTF.
#pragma once

#include <linux/types.h>

#ifdef __cplusplus
#define RD_ASSERT static_assert
#else
#define RD_ASSERT _Static_assert
#endif

enum rd_lane { RD_LANE_CRITICAL = 0, RD_LANE_BULK = 1, RD_LANES = 2 };

enum rd_kind {
  RD_EXEC = 1,
  RD_FORK = 2,
  RD_EXIT = 3,
  RD_FILE = 4,
  RD_CONNECTION = 5,
  RD_SEED = 6,  // from the task iterator, never in a ring
  RD_SOCKET = 20,
  RD_DNS = 21,
  RD_PRIVILEGE = 24,
  RD_TRACE = 25,
  RD_KERNEL = 26,
  RD_TAMPER = 27,
  RD_AUTH = 28,
  RD_CGROUP = 40,
};

enum {
  RD_KINDS_MAX = 64,      // above every rd_kind; the map lane_counts has that many rows a lane
  RD_LANE_SHARES = 4096,  // rows a lane of the map lane_shares
  RD_LOSS_ORIGINS_MAX = 4096,
};

// Why a record was not sent: nobody's would have found room; its cgroup holds its share of the ring already; the agent
// is over its CPU budget, and the cgroup has told what it may in this window of time; its process sent too many of the
// kind (rate.h).
enum rd_loss_cause { RD_LOSS_RING = 0, RD_LOSS_SHARE = 1, RD_LOSS_BUDGET = 2, RD_LOSS_RATE = 3 };

enum { RD_WINDOW_SHIFT = 27 };  // windows of 2^27 ns, about 134 ms

enum { RD_NO_LOGIN = 0xffffffff, RD_COMM_BYTES = 16 };

// Who acts: a process (thread group), as the kernel sees it at that moment.
struct rd_actor {
  __u64 start_ns;         // start of the group leader, CLOCK_BOOTTIME
  __u64 parent_start_ns;  // the same of the parent
  __u64 cgroup_id;        // version 2 hierarchy
  __u32 pid;
  __u32 parent_pid;
  __u32 uid;
  __u32 euid;
  __u32 gid;
  __u32 login_uid;  // RD_NO_LOGIN if none
  char comm[RD_COMM_BYTES];
};

struct rd_head {
  __u32 kind;
  __u32 bytes;    // of the whole record
  __u64 time_ns;  // CLOCK_BOOTTIME
  struct rd_actor actor;
};

// One kind's counters in one lane on one CPU. Row 0 of a lane, which is no kind's, counts all that it lost.
struct rd_lane_count {
  __u64 produced;
  __u64 lost;
  __u64 excluded;  // by the policy: nothing was produced
};

// What one cgroup (or few that share a row) has in a ring: bytes written less bytes read.
struct rd_lane_share {
  __u64 sent;    // by the programs
  __u64 taken;   // by the reader, who maps the rows
  __u64 window;  // RD_WINDOW_SHIFT: the latest in which something was told, and how much
  __u64 told;
};

// Key of the map losses: where the records that found no room came from.
struct rd_loss_key {
  __u64 cgroup_id;
  __u32 kind;
  __u16 lane;
  __u16 cause;
};

// The row of a cgroup in lane_shares. Ids of cgroups that live at the same time are close to each other, so they rarely
// share a row.
static inline __u32 rd_share_row(__u32 lane, __u64 cgroup_id) {
  return lane * RD_LANE_SHARES + (__u32)(cgroup_id & (RD_LANE_SHARES - 1));
}

// What a record takes in its ring, the kernel's own head included.
static inline __u64 rd_ring_bytes(__u64 bytes) { return ((bytes + 7) & ~7ull) + 8; }

RD_ASSERT(sizeof(struct rd_actor) == 64, "both sides");
RD_ASSERT(sizeof(struct rd_head) == 80, "both sides");
