// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Whose memory is written into, in the lsm tier: the process itself, in whatever namespace it lives. (What ptrace()
// does is told by the tracer's own list, what processes become by what they are afterwards: hooks would add nothing.)
#include "sensor/bpf/function.h"

#include "sensor/bpf/access.h"
#include "sensor/bpf/arch.h"

char rd_license[] __weak SEC("license") = "Dual BSD/GPL";

SEC("fentry/security_ptrace_access_check")
int BPF_PROG(privilege_hook_access, struct task_struct* child) {
  if (!rd_is_write_memory(rd_syscall_number(rd_entry_registers()))) return 0;
  __u64 thread = bpf_get_current_pid_tgid();
  struct rd_access access = {.start_ns = BPF_CORE_READ(child, group_leader, start_boottime),
                             .pid = BPF_CORE_READ(child, tgid)};
  bpf_map_update_elem(&accesses, &thread, &access, BPF_ANY);
  return 0;
}
