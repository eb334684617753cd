// Records of the container source, for both sides.
#pragma once

#include "sensor/bpf/record.h"

enum { RD_CGROUP_PATH_BYTES = 1024 };  // what the kernel's own tracepoints write, their NUL included

enum rd_cgroup_action { RD_CGROUP_MADE = 1, RD_CGROUP_REMOVED = 2, RD_CGROUP_ATTACHED = 3 };

// RD_CGROUP. head.actor is who made or removed the cgroup, or the process that was put into it.
struct rd_cgroup {
  struct rd_head head;
  __u64 cgroup_id;   // in its hierarchy
  __u32 hierarchy;   // 0: version 2
  __u16 action;      // rd_cgroup_action
  __u16 path_bytes;  // the NUL included
  __u8 path[RD_CGROUP_PATH_BYTES];
};

RD_ASSERT(sizeof(struct rd_cgroup) == sizeof(struct rd_head) + 16 + RD_CGROUP_PATH_BYTES, "both sides");
