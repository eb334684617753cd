// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// The one program on the way out of every system call, or of those of the i386 entry alone (call_functions.h): jumps to
// the handler that syscall_table.cc put under the call's number, or returns. What is not told costs this much and no
// more: two plain loads.
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "sensor/bpf/arch.h"
#include "sensor/bpf/call_end.h"
#include "sensor/bpf/kernel.h"
#include "sensor/bpf/writers.h"

char rd_license[] __weak SEC("license") = "Dual BSD/GPL";

// What failed has rows of its own, behind the others.
enum { RD_SYSCALLS_MAX = 512, RD_CALL_ROWS = 2 * RD_SYSCALLS_MAX };

struct {
  __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
  __uint(max_entries, RD_CALL_ROWS);
  __type(key, __u32);
  __type(value, __u32);
} native_calls SEC(".maps");

// i386 entry, with its own numbers.
struct {
  __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
  __uint(max_entries, RD_CALL_ROWS);
  __type(key, __u32);
  __type(value, __u32);
} compat_calls SEC(".maps");

// Whether a row has a handler in either table.
volatile __u8 handled_calls[RD_CALL_ROWS] = {};

enum entry { NATIVE, COMPAT, OF_NO_INTEREST };

// By which entry the call came. rd_is_compat() by a plain load where the kernel has it: from 5.11 on. Here alone: in
// some handlers it makes the compiler keep sizes where verifiers of Linux 6.1 lose their bounds. And a close by a
// process that has no file open for writing, as most are, ends here: the jump and another question cost more than all
// the rest. (By the i386 entry that number is read(), which nobody wants.)
static __always_inline enum entry entry_of(__u32 row) {
  if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf)) return rd_is_compat();
  if (row == RD_OPENAT) return NATIVE;  // file/open.bpf.c looks itself
  struct task_struct* task = bpf_get_current_task_btf();
  if (row == RD_CLOSE && !*rd_writers_of(task->tgid)) return OF_NO_INTEREST;
  return task->thread_info.status & RD_X86_TS_COMPAT ? COMPAT : NATIVE;
}

// The calls that programs make most are jumped to directly: under retpolines an indirect jump costs more than what most
// of them ask.
static __always_inline void jump_native(void* ctx, __u32 row) {
  switch (row) {
    case RD_OPENAT: bpf_tail_call_static(ctx, &native_calls, RD_OPENAT); break;
    case RD_CLOSE: bpf_tail_call_static(ctx, &native_calls, RD_CLOSE); break;
    case RD_MMAP: bpf_tail_call_static(ctx, &native_calls, RD_MMAP); break;
    default: bpf_tail_call(ctx, &native_calls, row);
  }
}

CALL_END(syscall_dispatch) {
  __u32 row = (__u32)regs->orig_ax & ~(__u32)RD_X86_X32_BIT;
  if (row >= RD_SYSCALLS_MAX) return 0;
  if (result < 0) row += RD_SYSCALLS_MAX;
  if (!handled_calls[row]) return 0;
  switch (entry_of(row)) {
    case NATIVE: jump_native(ctx, row); break;
    case COMPAT: bpf_tail_call(ctx, &compat_calls, row); break;
    case OF_NO_INTEREST: break;
  }
  return 0;
}
