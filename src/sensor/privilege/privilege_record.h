// Records of the privilege source, for both sides.
#pragma once

#include "sensor/process/process_record.h"

// Which system call it was: its number, and the entry whose number that is.
struct rd_call {
  __u32 number;
  __u32 compat;  // 1: the i386 entry
};

// RD_PRIVILEGE: user, group, capabilities or namespaces of a process changed. head.actor and context are what it has
// after the call.
struct rd_privilege {
  struct rd_head head;
  struct rd_context context;
  struct rd_call call;
  __u64 namespaces;  // setns, unshare: CLONE_NEW flags
  __u32 missed;      // 1: changes of this process before this one were not sent
  __u32 zero;
};

// RD_TRACE: a process traced another, or wrote into its memory.
struct rd_trace {
  struct rd_head head;
  struct rd_context context;
  struct rd_call call;
  __u64 target_start_ns;  // start of the target's group leader; 0 where only target_number is known
  __u32 target_pid;
  __u32 target_number;  // as the caller gave it, in its own pid namespace
  __u32 request;        // of ptrace()
  __u32 zero;
};

RD_ASSERT(sizeof(struct rd_privilege) == 152, "both sides");
RD_ASSERT(sizeof(struct rd_trace) == 160, "both sides");
