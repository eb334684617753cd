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
  RD_SCRIPT_ROOT_END = RD_CGROUP_END + 512 + 1024,
  // The script's path and the variables end with a NUL each.
  RD_SCRIPT_MAX = 4096,
  RD_SCRIPT_END = RD_SCRIPT_ROOT_END + 512 + RD_SCRIPT_MAX,
  RD_VARIABLE_MAX = 1024,   // bytes of one variable that are kept
  RD_VARIABLES_LEN = 3072,  // bytes of all of them
  RD_VARIABLE_NAME_BYTES = 32,
  RD_EXEC_DATA_BYTES = RD_SCRIPT_END + RD_VARIABLES_LEN,
};

// Where a program file lies that is not an ordinary one.
enum rd_program_place { RD_FROM_MEMFD = 1, RD_FROM_DELETED = 2, RD_FROM_UPPER_LAYER = 4 };

// The program file, as far as a cached hash depends on it. The change time cannot be set by programs.
struct rd_program {
  __u64 inode;
  __u64 size;
  __s64 changed_s;
  __u32 changed_ns;
  __u32 device;
};

// What a process may do and where it lives. Namespaces by the inode numbers of /proc/PID/ns.
struct rd_context {
  __u64 cap_effective;
  __u64 cap_permitted;
  __u32 pid_namespace;
  __u32 mount_namespace;
  __u32 network_namespace;
  __u32 user_namespace;
  __u32 virtual_pid;  // its number in its own pid namespace
  __u32 group_pid;    // leader of its process group, of its session
  __u32 session_pid;
  __u32 effective_gid;
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
  struct rd_context context;
  __u32 places;  // rd_program_place, ored
  __u16 script_root_bytes;
  __u16 script_bytes;  // 0: the program is no interpreter that the kernel started for a script
  __u16 variables_bytes;
  __u16 zero;
  __u32 variables_left;  // bytes of the environment that were not looked at or found no room
  // arguments (NUL after each), executable, directory, cgroups (rd_put_cgroup), the root directory of a script with an
  // absolute path (all four leaf first), that path as it was given, variables of the environment
  __u8 data[RD_EXEC_DATA_BYTES];
};

// RD_FORK: head.actor is the child.
struct rd_fork {
  struct rd_head head;
  struct rd_context context;
};

// RD_EXIT
struct rd_exit {
  struct rd_head head;
  __u32 status;  // as wait() gives it
  __u32 zero;
};

RD_ASSERT(sizeof(struct rd_program) == 32, "both sides");
RD_ASSERT(sizeof(struct rd_context) == 48, "both sides");
RD_ASSERT(__builtin_offsetof(struct rd_exec, data) == 208, "both sides");
RD_ASSERT(sizeof(struct rd_exit) == 88, "both sides");
