// The kernel types that the programs read, each with only the fields they need. CO-RE relocates every access against
// the running kernel's own BTF, so neither layout nor completeness matters; only the names do. A type with ___suffix
// is the shape of other kernel versions.
#pragma once

#include <linux/types.h>

#include "sensor/bpf/kernel_file.h"
#include "sensor/bpf/kernel_namespace.h"
#include "sensor/bpf/kernel_socket.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

// 64 bits since 6.3, two times 32 bits before: read as bytes.
typedef struct {
  __u64 val;
} kernel_cap_t;

struct list_head {
  struct list_head* next;
};

struct cred {
  kuid_t uid;
  kgid_t gid;
  kuid_t euid;
  kgid_t egid;
  kernel_cap_t cap_permitted;
  kernel_cap_t cap_effective;
  struct user_namespace* user_ns;
};

struct kernfs_node {
  struct kernfs_node* __parent;
  const char* name;
  __u64 id;
};

struct kernfs_node___before_6_15 {
  struct kernfs_node___before_6_15* parent;
};

struct cgroup_root {
  int hierarchy_id;
};

struct cgroup {
  struct kernfs_node* kn;
  struct cgroup_root* root;
};

struct cgroup_subsys_state {
  struct cgroup* cgroup;
};

struct css_set {
  struct cgroup_subsys_state* subsys[1];
  struct cgroup* dfl_cgrp;
};

typedef struct {
  int counter;
} atomic_t;

struct tty_struct {
  char name[64];
};

enum { RD_PIDTYPE_PGID = 2, RD_PIDTYPE_SID = 3 };

struct signal_struct {
  atomic_t live;
  struct pid* pids[4];
  int group_exit_code;
  unsigned int flags;
  struct tty_struct* tty;
};

struct mm_struct {
  unsigned long arg_start;
  unsigned long arg_end;
  unsigned long env_start;
  unsigned long env_end;
  struct file* exe_file;
};

struct thread_info {
  __u32 status;
};

struct task_struct {
  struct thread_info thread_info;
  int pid;
  int tgid;
  __u64 start_boottime;
  int exit_code;
  char comm[16];
  kuid_t loginuid;
  struct task_struct* group_leader;
  struct task_struct* real_parent;
  struct mm_struct* mm;
  struct fs_struct* fs;
  struct files_struct* files;
  struct signal_struct* signal;
  struct nsproxy* nsproxy;
  struct pid* thread_pid;
  struct list_head ptraced;  // those that this thread traces, linked by ptrace_entry
  struct list_head ptrace_entry;
  const struct cred* cred;
  struct css_set* cgroups;
};

struct linux_binprm {
  const char* filename;
  const char* interp;
};

struct pt_regs {
  unsigned long r10;
  unsigned long r8;
  unsigned long bx;
  unsigned long cx;
  unsigned long dx;
  unsigned long si;
  unsigned long di;
  unsigned long orig_ax;
};

struct seq_file;

struct bpf_iter_meta {
  struct seq_file* seq;
};

struct bpf_iter__bpf_map_elem {
  struct bpf_iter_meta* meta;
  void* key;
  void* value;
};

struct bpf_iter__task {
  struct bpf_iter_meta* meta;
  struct task_struct* task;
};

enum cgroup_subsys_id {
  devices_cgrp_id = 1,
  memory_cgrp_id = 4,
  pids_cgrp_id = 11,
};

#pragma clang attribute pop
