// Filling in what every record says about its process.
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "sensor/bpf/kernel.h"
#include "sensor/bpf/record.h"

static __always_inline void rd_fill_actor(struct rd_actor* actor, struct task_struct* task) {
  struct task_struct* leader = BPF_CORE_READ(task, group_leader);
  struct task_struct* parent = BPF_CORE_READ(leader, real_parent);
  actor->start_ns = BPF_CORE_READ(leader, start_boottime);
  actor->pid = BPF_CORE_READ(task, tgid);
  actor->parent_pid = BPF_CORE_READ(parent, tgid);
  actor->parent_start_ns = BPF_CORE_READ(parent, group_leader, start_boottime);
  actor->cgroup_id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
  const struct cred* cred = BPF_CORE_READ(task, cred);
  actor->uid = BPF_CORE_READ(cred, uid.val);
  actor->euid = BPF_CORE_READ(cred, euid.val);
  actor->gid = BPF_CORE_READ(cred, gid.val);
  actor->login_uid = RD_NO_LOGIN;
  if (bpf_core_field_exists(task->loginuid)) actor->login_uid = BPF_CORE_READ(task, loginuid.val);
  bpf_core_read(actor->comm, sizeof(actor->comm), &leader->comm);
}

static __always_inline void rd_fill_head(struct rd_head* head, __u32 kind, struct task_struct* task) {
  head->kind = kind;
  head->time_ns = bpf_ktime_get_boot_ns();
  rd_fill_actor(&head->actor, task);
}
