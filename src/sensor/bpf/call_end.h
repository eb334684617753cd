// Programs at the ends of system calls: handlers, and what they jump to. In the tracepoint tier they run from the
// tracepoint of all calls. In the lsm tier they can stand at the kernel's functions instead, one for each native call
// and one for all of the i386 entry (syscall/call_functions.h); the context begins with the registers in any case.
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "sensor/bpf/kernel.h"

// Set before loading.
const volatile __u32 calls_at_functions __weak = 0;

static __always_inline long rd_result_of(unsigned long long* ctx) {
  if (!calls_at_functions || !bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_func_ret)) return ctx[1];
  __u64 result = 0;
  bpf_get_func_ret(ctx, &result);
  return result;
}

// CALL_END(name) { … }: a program that is given `ctx`, `regs` and `result`. At a function it must return 0.
#define CALL_END(name)                                                                                  \
  static __always_inline int name##_at_end(unsigned long long* ctx, struct pt_regs* regs, long result); \
  SEC("tp_btf/sys_exit")                                                                                \
  int name(unsigned long long* ctx) {                                                                   \
    name##_at_end(ctx, (struct pt_regs*)ctx[0], rd_result_of(ctx));                                     \
    return 0;                                                                                           \
  }                                                                                                     \
  static __always_inline int name##_at_end(unsigned long long* ctx, struct pt_regs* regs, long result)
