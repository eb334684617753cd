// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// What processes become and do to each other: other users, capabilities and namespaces; tracing and writing into the
// memory of another.
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "sensor/bpf/access.h"
#include "sensor/bpf/actor.h"
#include "sensor/bpf/arch.h"
#include "sensor/bpf/call_end.h"
#include "sensor/bpf/context.h"
#include "sensor/bpf/descriptor.h"
#include "sensor/bpf/kernel.h"
#include "sensor/bpf/rate.h"
#include "sensor/privilege/privilege_record.h"

// For layout_test.cc: brings the types into the BTF.
const struct rd_privilege* rd_layout_privilege __attribute__((unused));
const struct rd_trace* rd_layout_trace __attribute__((unused));

char rd_license[] __weak SEC("license") = "Dual BSD/GPL";

enum { RD_TRACEES_MAX = 256 };

// Every namespace but that of control groups, whose flag stands apart.
enum { RD_CLONE_NEWNS = 0x00020000, RD_CLONE_NEW_ALL = 0x7e020080 };

// Requests of ptrace() that begin a tracing or change the traced process.
enum {
  RD_PTRACE_TRACEME = 0,
  RD_PTRACE_POKETEXT = 4,
  RD_PTRACE_POKEDATA = 5,
  RD_PTRACE_POKEUSR = 6,
  RD_PTRACE_SETREGS = 13,
  RD_PTRACE_SETFPREGS = 15,
  RD_PTRACE_ATTACH = 16,
  RD_PTRACE_SETREGSET = 0x4205,
  RD_PTRACE_SEIZE = 0x4206,
};

static __always_inline void fill_call(struct rd_call* call, struct pt_regs* regs) {
  call->number = rd_syscall_number(regs);
  call->compat = rd_is_compat();
}

static __always_inline int tell_privilege(struct pt_regs* regs, __u64 namespaces) {
  struct task_struct* task = (struct task_struct*)bpf_get_current_task();
  struct rd_privilege record = {.namespaces = namespaces};
  rd_fill_head(&record.head, RD_PRIVILEGE, task);
  rd_fill_context(&record.context, task);
  fill_call(&record.call, regs);
  if (rd_passes_rate(&record.head, &record.missed)) {
    rd_send(&ring_critical, RD_LANE_CRITICAL, &record.head, sizeof(record));
  }
  return 0;
}

// setuid, setresgid and their kin, capset. Whether anything changed the user side knows.
CALL_END(privilege_identity) { return result == 0 ? tell_privilege(regs, 0) : 0; }

CALL_END(privilege_unshare) {
  __u64 namespaces = rd_syscall_argument(regs, 0) & RD_CLONE_NEW_ALL;
  return result == 0 && namespaces ? tell_privilege(regs, namespaces) : 0;
}

// The kind of namespace behind a descriptor of /proc/PID/ns.
static __always_inline __u64 namespace_type(int descriptor) {
  struct file* file = rd_file_of(descriptor);
  struct ns_common* common = file ? BPF_CORE_READ(file, f_inode, i_private) : 0;
  if (!common) return 0;
  if (bpf_core_field_exists(common->ns_type)) return BPF_CORE_READ(common, ns_type);
  struct ns_common___before_6_18* old = (void*)common;
  return BPF_CORE_READ(old, ops, type);
}

CALL_END(privilege_setns) {
  if (result != 0) return 0;
  __u64 asked = rd_syscall_argument(regs, 1) & RD_CLONE_NEW_ALL;
  return tell_privilege(regs, asked ? asked : namespace_type(rd_syscall_argument(regs, 0)));
}

static __always_inline int changes_another(__u32 request) {
  switch (request) {
    case RD_PTRACE_TRACEME:
    case RD_PTRACE_POKETEXT:
    case RD_PTRACE_POKEDATA:
    case RD_PTRACE_POKEUSR:
    case RD_PTRACE_SETREGS:
    case RD_PTRACE_SETFPREGS:
    case RD_PTRACE_ATTACH:
    case RD_PTRACE_SETREGSET:
    case RD_PTRACE_SEIZE: return 1;
    default: return 0;
  }
}

// The traced process is in the list of those that the calling thread traces.
static __always_inline void find_tracee(struct rd_trace* record, struct task_struct* tracer) {
  __u64 level = BPF_CORE_READ(tracer, thread_pid, level);
  struct list_head* head = &tracer->ptraced;
  struct list_head* entry = BPF_CORE_READ(head, next);
  for (int seen = 0; seen < RD_TRACEES_MAX && entry != head && entry; seen++) {
    struct task_struct* tracee = (void*)entry - bpf_core_field_offset(struct task_struct, ptrace_entry);
    struct pid* pid = BPF_CORE_READ(tracee, thread_pid);
    if (BPF_CORE_READ(rd_number_at(pid, level), nr) == record->target_number) {
      rd_fill_target(record, tracee);
      return;
    }
    entry = BPF_CORE_READ(entry, next);
  }
}

static __always_inline void begin_trace(struct rd_trace* record, struct pt_regs* regs, struct task_struct* task) {
  rd_fill_head(&record->head, RD_TRACE, task);
  rd_fill_context(&record->context, task);
  fill_call(&record->call, regs);
}

CALL_END(privilege_ptrace) {
  __u32 request = rd_syscall_argument(regs, 0);
  if (result != 0 || !changes_another(request)) return 0;
  struct task_struct* task = (struct task_struct*)bpf_get_current_task();
  struct rd_trace record = {.request = request};
  begin_trace(&record, regs, task);
  if (request != RD_PTRACE_TRACEME) {
    record.target_number = rd_syscall_argument(regs, 1);
    find_tracee(&record, task);
  }
  rd_send_security(&record.head, sizeof(record));
  return 0;
}

CALL_END(privilege_write_memory) {
  struct rd_trace record = {};
  rd_access_take(&record);
  if (result <= 0) return 0;
  begin_trace(&record, regs, (struct task_struct*)bpf_get_current_task());
  record.target_number = rd_syscall_argument(regs, 0);
  rd_send_security(&record.head, sizeof(record));
  return 0;
}
