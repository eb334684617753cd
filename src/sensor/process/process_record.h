// Records of the process source, for both sides.
#pragma once

#include "sensor/bpf/record.h"

enum {
  RD_ARGUMENTS_MAX = 4096,
  RD_TTY_BYTES = 16,
  // Where the parts of `data` may at most begin their last component.
  RD_EXECUTABLE_END = RD_ARGUMENTS_MAX + 4096,
  RD_DIRECTORY_END = RD_EXECUTABLE_END + 256 + 4096,
  RD_CGROUP_END = RD_DIRECTORY_END + 256 + 2048,
  RD_EXEC_DATA_BYTES = RD_CGROUP_END + 512,
};

// The program file, as far as a cached hash depends on it. The change time cannot be set by programs.
struct rd_program {
  __u64 inode;
  __u64 size;
  __s64 changed_s;
  __u32 changed_ns;
  __u32 device;
};

// RD_EXEC and RD_SEED (where the arguments are absent: they lie in another task's memory).
struct rd_exec {
  struct rd_head head;
  struct rd_program program;
  __u32 arguments_total;  // bytes that there were; arguments_bytes of them are in data
  __u16 arguments_bytes;
  __u16 executable_bytes;
  __u16 directory_bytes;
  __u16 cgroup_bytes;
  char tty[RD_TTY_BYTES];
  __u32 kernel_thread;
  // arguments (NUL after each), executable, directory, cgroup: the last three leaf first
  __u8 data[RD_EXEC_DATA_BYTES];
};

// RD_FORK: head.actor is the child.
struct rd_fork {
  struct rd_head head;
};

// RD_EXIT
struct rd_exit {
  struct rd_head head;
  __u32 status;  // as wait() gives it
  __u32 zero;
};

RD_ASSERT(sizeof(struct rd_program) == 32, "both sides");
RD_ASSERT(__builtin_offsetof(struct rd_exec, data) == 144, "both sides");
RD_ASSERT(sizeof(struct rd_exit) == 88, "both sides");
