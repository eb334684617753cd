// Records of the kernel source, for both sides: what changes the kernel or opens a door into it.
#pragma once

#include "sensor/privilege/privilege_record.h"

enum {
  RD_TEXT_MAX = 256,  // of a name; longer ones are cut
  RD_KERNEL_BASE_END = 4096,
  RD_TARGET_MAX = 4096,
  RD_SOURCE_MAX = 4096,
  RD_KERNEL_DATA_BYTES = RD_KERNEL_BASE_END + 512 + RD_TARGET_MAX + RD_SOURCE_MAX + RD_TEXT_MAX,
};

struct rd_kernel {
  struct rd_head head;
  struct rd_context context;
  struct rd_call call;
  __u32 program_type;  // bpf: type of the program
  __u16 base_bytes;
  __u16 target_bytes;
  __u16 source_bytes;
  __u16 name_bytes;
  __u32 zero;
  // base, leaf first: the file that a module or kernel was read from; or what the mount point is relative to, which
  // then follows as it was given (target). source: device or directory that is mounted. name: file system, module or
  // BPF program. All but the first with a NUL at their end.
  __u8 data[RD_KERNEL_DATA_BYTES];
};

RD_ASSERT(__builtin_offsetof(struct rd_kernel, data) == 152, "both sides");
