// For programs at functions of the kernel: fentry and fexit. They run only in the lsm tier, whose kernels have
// bpf_loop() and bpf_task_pt_regs(). Comes before all other headers.
#pragma once

#define RD_HAS_LOOPS

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "sensor/bpf/kernel.h"

enum { RD_ERRORS_FROM = -4095 };

// Set before loading: whether the verifier knows the types of arguments, as it does at functions, so that what they
// lead to is read in place.
const volatile __u32 arguments_have_types __weak = 0;

// Of what a function returns.
static __always_inline int rd_is_error(const void* pointer) {
  return (unsigned long)pointer >= (unsigned long)RD_ERRORS_FROM;
}

// What the current task entered the kernel with. A worker of io_uring, and a call that a request is carried out in,
// have those of another call.
static __always_inline struct pt_regs* rd_entry_registers(void) {
  return (struct pt_regs*)bpf_task_pt_regs(bpf_get_current_task_btf());
}
