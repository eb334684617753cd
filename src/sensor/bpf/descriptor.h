// From a descriptor number of the current task to the kernel's object behind it.
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "sensor/bpf/kernel.h"
#include "sensor/bpf/object.h"

enum { RD_S_IFMT = 0170000, RD_S_IFREG = 0100000, RD_S_IFDIR = 0040000, RD_S_IFSOCK = 0140000 };

static __always_inline int rd_has_type(struct inode* inode, __u16 type) {
  return (BPF_CORE_READ(inode, i_mode) & RD_S_IFMT) == type;
}

// Whether the current task can be read by plain loads: from 5.11 on.
static __always_inline int rd_has_typed_task(void) {
  return bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf);
}

static __always_inline struct file* rd_file_at(struct file** slots, __u32 slots_count, int descriptor) {
  if (descriptor < 0 || (__u32)descriptor >= slots_count) return 0;
  if (rd_reads_in_place()) return rd_pointer_in_place(slots + descriptor);
  struct file* file = 0;
  bpf_probe_read_kernel(&file, sizeof(file), slots + descriptor);
  return file;
}

// `task` is the typed current one.
static __always_inline struct file* rd_file_of_task(struct task_struct* task, int descriptor) {
  struct fdtable* table = task->files->fdt;
  return rd_file_at(table->fd, table->max_fds, descriptor);
}

// 0 if there is none (another thread may have closed it already).
static __always_inline struct file* rd_file_of(int descriptor) {
  if (rd_has_typed_task()) return rd_file_of_task(bpf_get_current_task_btf(), descriptor);
  struct task_struct* task = (struct task_struct*)bpf_get_current_task();
  struct fdtable* table = BPF_CORE_READ(task, files, fdt);
  return rd_file_at(BPF_CORE_READ(table, fd), BPF_CORE_READ(table, max_fds), descriptor);
}
