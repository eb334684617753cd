// Filling in what a process may do and where it lives: capabilities, namespaces, numbers.
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "sensor/bpf/kernel.h"
#include "sensor/process/process_record.h"

// A process's number in the namespace of that level; it has one in its own and in those above.
static __always_inline struct upid* rd_number_at(struct pid* pid, __u64 level) {
  return (void*)pid + bpf_core_field_offset(struct pid, numbers) + level * bpf_core_type_size(struct upid);
}

static __always_inline __u32 rd_host_number(struct pid* pid) { return BPF_CORE_READ(pid, numbers[0].nr); }

static __always_inline void rd_fill_context(struct rd_context* context, struct task_struct* task) {
  const struct cred* cred = BPF_CORE_READ(task, cred);
  bpf_core_read(&context->cap_effective, sizeof(__u64), &cred->cap_effective);
  bpf_core_read(&context->cap_permitted, sizeof(__u64), &cred->cap_permitted);
  context->user_namespace = BPF_CORE_READ(cred, user_ns, ns.inum);
  struct nsproxy* namespaces = BPF_CORE_READ(task, nsproxy);
  context->mount_namespace = BPF_CORE_READ(namespaces, mnt_ns, ns.inum);
  context->network_namespace = BPF_CORE_READ(namespaces, net_ns, ns.inum);
  struct task_struct* leader = BPF_CORE_READ(task, group_leader);
  struct pid* pid = BPF_CORE_READ(leader, thread_pid);
  struct upid* own = rd_number_at(pid, BPF_CORE_READ(pid, level));
  context->virtual_pid = BPF_CORE_READ(own, nr);
  context->pid_namespace = BPF_CORE_READ(own, ns, ns.inum);
  struct signal_struct* signal = BPF_CORE_READ(task, signal);
  context->group_pid = rd_host_number(BPF_CORE_READ(signal, pids[RD_PIDTYPE_PGID]));
  context->session_pid = rd_host_number(BPF_CORE_READ(signal, pids[RD_PIDTYPE_SID]));
  context->effective_gid = BPF_CORE_READ(cred, egid.val);
}
