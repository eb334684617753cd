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

// 0 if there is none (another thread may have closed it already).
static __always_inline struct file* rd_file_of(int descriptor) {
  __u32 slots_count = 0;
  struct file** slots = 0;
  if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf)) {  // plain loads, from 5.11 on
    struct fdtable* table = bpf_get_current_task_btf()->files->fdt;
    slots_count = table->max_fds;
    slots = table->fd;
  } else {
    struct task_struct* task = (struct task_struct*)bpf_get_current_task();
    struct fdtable* table = BPF_CORE_READ(task, files, fdt);
    slots_count = BPF_CORE_READ(table, max_fds);
    slots = BPF_CORE_READ(table, fd);
  }
  if (descriptor < 0 || (__u32)descriptor >= slots_count) return 0;
  if (rd_reads_in_place()) return rd_pointer_in_place(slots + descriptor);
  struct file* file = 0;
  bpf_probe_read_kernel(&file, sizeof(file), slots + descriptor);
  return file;
}
