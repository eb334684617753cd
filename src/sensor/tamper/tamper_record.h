// Records of the tamper source, for both sides.
#pragma once

#include "sensor/bpf/record.h"

// RD_TAMPER: head.actor sent a signal to the agent.
struct rd_tamper {
  struct rd_head head;
  __u64 target_start_ns;
  __u32 target_pid;
  __u32 signal;
};

RD_ASSERT(sizeof(struct rd_tamper) == 96, "both sides");
