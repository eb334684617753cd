// From a descriptor number of the current task to the kernel's object behind it.
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "sensor/bpf/kernel.h"

enum { RD_S_IFMT = 0170000, RD_S_IFREG = 0100000, RD_S_IFDIR = 0040000, RD_S_IFSOCK = 0140000 };

static __always_inline int rd_has_type(struct inode* inode, __u16 type) {
  return (BPF_CORE_READ(inode, i_mode) & RD_S_IFMT) == type;
}

// 0 if there is none (another thread may have closed it already).
static __always_inline struct file* rd_file_of(int descriptor) {
  struct task_struct* task = (struct task_struct*)bpf_get_current_task();
  struct fdtable* table = BPF_CORE_READ(task, files, fdt);
  if (descriptor < 0 || (__u32)descriptor >= BPF_CORE_READ(table, max_fds)) return 0;
  struct file** slots = BPF_CORE_READ(table, fd);
  struct file* file = 0;
  bpf_probe_read_kernel(&file, sizeof(file), slots + descriptor);
  return file;
}
