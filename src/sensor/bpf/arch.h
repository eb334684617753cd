// All that depends on the processor: which system call just ended and what its arguments were. x86-64 with its two
// 32-bit entries: i386 (int 0x80, sysenter) and x32.
#pragma once

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "sensor/bpf/kernel.h"

enum { RD_X86_TS_COMPAT = 0x2, RD_X86_X32_BIT = 0x40000000 };

// The i386 entry can be used by a 64-bit program too, so the code segment tells nothing; the kernel's own mark does.
static __always_inline int rd_is_compat(void) {
  struct task_struct* task = (struct task_struct*)bpf_get_current_task();
  return (BPF_CORE_READ(task, thread_info.status) & RD_X86_TS_COMPAT) != 0;
}

static __always_inline __u32 rd_syscall_number(struct pt_regs* regs) {
  return (__u32)BPF_CORE_READ(regs, orig_ax) & ~(__u32)RD_X86_X32_BIT;
}

// `position` is a constant from 0 to 4.
static __always_inline __u64 rd_syscall_argument(struct pt_regs* regs, int position) {
  if (rd_is_compat()) {
    switch (position) {
      case 0: return (__u32)BPF_CORE_READ(regs, bx);
      case 1: return (__u32)BPF_CORE_READ(regs, cx);
      case 2: return (__u32)BPF_CORE_READ(regs, dx);
      case 3: return (__u32)BPF_CORE_READ(regs, si);
      default: return (__u32)BPF_CORE_READ(regs, di);
    }
  }
  switch (position) {
    case 0: return BPF_CORE_READ(regs, di);
    case 1: return BPF_CORE_READ(regs, si);
    case 2: return BPF_CORE_READ(regs, dx);
    case 3: return BPF_CORE_READ(regs, r10);
    default: return BPF_CORE_READ(regs, r8);
  }
}

// Numbers of the calls that share a handler or a hook and differ in what they are to it.
enum {
  RD_OPEN = 2,
  RD_CLOSE = 3,
  RD_MMAP = 9,
  RD_OPENAT = 257,
  RD_OPEN_COMPAT = 5,
  RD_CREAT = 85,
  RD_CREAT_COMPAT = 8,
  RD_OPEN_BY_HANDLE = 304,
  RD_OPEN_BY_HANDLE_COMPAT = 342,
  RD_OPENAT2 = 437,  // of both
  RD_MKNOD = 133,
  RD_MKNOD_COMPAT = 14,
  RD_MKNODAT = 259,
  RD_MKNODAT_COMPAT = 297,
  RD_TRUNCATE = 76,
  RD_TRUNCATE_COMPAT = 92,
  RD_TRUNCATE_64_COMPAT = 193,
  RD_FTRUNCATE = 77,
  RD_FTRUNCATE_COMPAT = 93,
  RD_FTRUNCATE_64_COMPAT = 194,
  RD_WRITE_MEMORY = 311,
  RD_WRITE_MEMORY_COMPAT = 348,
};

static __always_inline int rd_is_write_memory(__u32 number) {
  return number == (rd_is_compat() ? RD_WRITE_MEMORY_COMPAT : RD_WRITE_MEMORY);
}

static __always_inline int rd_is_mknod(__u32 number) {
  return rd_is_compat() ? number == RD_MKNOD_COMPAT || number == RD_MKNODAT_COMPAT
                        : number == RD_MKNOD || number == RD_MKNODAT;
}

static __always_inline int rd_is_truncate(__u32 number) {
  if (!rd_is_compat()) return number == RD_TRUNCATE || number == RD_FTRUNCATE;
  return number == RD_TRUNCATE_COMPAT || number == RD_TRUNCATE_64_COMPAT || number == RD_FTRUNCATE_COMPAT ||
         number == RD_FTRUNCATE_64_COMPAT;
}
