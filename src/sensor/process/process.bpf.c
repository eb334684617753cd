// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Processes: fork (for the table), exec, end, and the iterator over those that run already.
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "sensor/bpf/actor.h"
#include "sensor/bpf/context.h"
#include "sensor/bpf/environment.h"
#include "sensor/bpf/kernel.h"
#include "sensor/bpf/lanes.h"
#include "sensor/bpf/path.h"
#include "sensor/process/process_record.h"

// For layout_test.cc: brings the types into the BTF.
const struct rd_exec* rd_layout_exec __attribute__((unused));
const struct rd_fork* rd_layout_fork __attribute__((unused));
const struct rd_exit* rd_layout_exit __attribute__((unused));

char rd_license[] __weak SEC("license") = "Dual BSD/GPL";

enum {
  RD_SIGNAL_GROUP_EXIT = 4,
  RD_CTIME_FLAG = 1u << 31,
  RD_EXEC_DATA = __builtin_offsetof(struct rd_exec, data),
  RD_MAGIC_OVERLAY = 0x794c7630,
  RD_MAGIC_TMPFS = 0x01021994,
  RD_MEMFD_PREFIX_BYTES = 6,
};

_Static_assert(sizeof(struct rd_exec) <= RD_SCRATCH_BYTES, "fits the scratch space");

static __always_inline void fill_program(struct rd_program* program, struct file* file) {
  struct inode* inode = BPF_CORE_READ(file, f_inode);
  program->inode = BPF_CORE_READ(inode, i_ino);
  program->size = BPF_CORE_READ(inode, i_size);
  program->device = BPF_CORE_READ(inode, i_sb, s_dev);
  struct inode___before_6_11* middle = (void*)inode;
  struct inode___before_6_6* old = (void*)inode;
  if (bpf_core_field_exists(inode->i_ctime_sec)) {
    program->changed_s = BPF_CORE_READ(inode, i_ctime_sec);
    program->changed_ns = BPF_CORE_READ(inode, i_ctime_nsec) & ~RD_CTIME_FLAG;
  } else if (bpf_core_field_exists(middle->__i_ctime)) {
    program->changed_s = BPF_CORE_READ(middle, __i_ctime.tv_sec);
    program->changed_ns = BPF_CORE_READ(middle, __i_ctime.tv_nsec);
  } else {
    program->changed_s = BPF_CORE_READ(old, i_ctime.tv_sec);
    program->changed_ns = BPF_CORE_READ(old, i_ctime.tv_nsec);
  }
}

// A memfd has no directory; its name begins as memfd_create() made it.
static __always_inline int is_memfd(struct file* file, struct inode* inode) {
  struct dentry* dentry = BPF_CORE_READ(file, f_path.dentry);
  if (BPF_CORE_READ(inode, i_sb, s_magic) != RD_MAGIC_TMPFS || BPF_CORE_READ(dentry, d_parent) != dentry) return 0;
  union {
    char text[8];
    __u64 word;
  } prefix = {}, wanted = {.text = "memfd:"};
  bpf_probe_read_kernel(prefix.text, RD_MEMFD_PREFIX_BYTES, BPF_CORE_READ(dentry, d_name.name));
  return prefix.word == wanted.word;
}

// Behind the inode, overlayfs keeps the entry of the upper layer, if the file has one.
static __always_inline int is_in_upper_layer(struct inode* inode) {
  if (BPF_CORE_READ(inode, i_sb, s_magic) != RD_MAGIC_OVERLAY) return 0;
  struct dentry* upper = 0;
  bpf_probe_read_kernel(&upper, sizeof(upper), (void*)inode + bpf_core_type_size(struct inode));
  return upper != 0;
}

static __always_inline __u32 places_of(struct file* file) {
  struct inode* inode = BPF_CORE_READ(file, f_inode);
  if (!inode) return 0;
  if (is_memfd(file, inode)) return RD_FROM_MEMFD;
  __u32 places = BPF_CORE_READ(inode, i_nlink) == 0 ? RD_FROM_DELETED : 0;
  if (is_in_upper_layer(inode)) places |= RD_FROM_UPPER_LAYER;
  return places;
}

static __always_inline __u64 put_file_path(__u32 slot, struct path* path, __u64 at, __u64 limit) {
  return rd_put_path(slot, (__u64)BPF_CORE_READ(path, dentry), (__u64)BPF_CORE_READ(path, mnt), at, limit);
}

// All but the arguments; the scratch space is in use up to byte `at`. Returns the new end.
static __always_inline __u64 fill_image(__u32 slot, struct rd_exec* record, __u64 at, struct task_struct* task) {
  struct file* file = BPF_CORE_READ(task, mm, exe_file);
  struct fs_struct* fs = BPF_CORE_READ(task, fs);
  struct tty_struct* tty = BPF_CORE_READ(task, signal, tty);
  record->tty[0] = 0;
  if (tty) bpf_probe_read_kernel_str(record->tty, sizeof(record->tty), &tty->name);
  fill_program(&record->program, file);
  rd_fill_context(&record->context, task);
  record->places = places_of(file);
  record->script_root_bytes = 0;
  record->script_bytes = 0;
  record->variables_bytes = 0;
  record->variables_left = 0;
  record->zero = 0;
  __u64 begin = at;
  at = put_file_path(slot, &file->f_path, at, RD_EXEC_DATA + RD_EXECUTABLE_END);
  record->executable_bytes = at - begin;
  begin = at;
  at = put_file_path(slot, &fs->pwd, at, RD_EXEC_DATA + RD_DIRECTORY_END);
  record->directory_bytes = at - begin;
  begin = at;
  at = rd_put_cgroup(slot, (__u64)BPF_CORE_READ(task, cgroups), at, RD_EXEC_DATA + RD_CGROUP_END);
  record->cgroup_bytes = at - begin;
  return at;
}

// The kernel starts an interpreter for a file that is no program itself: the path of that file, as it was given.
static __always_inline __u64 put_script(struct rd_exec* record, __u64 at, struct linux_binprm* bprm) {
  const char* given = BPF_CORE_READ(bprm, filename);
  if (BPF_CORE_READ(bprm, interp) == given) return at;
  char first = 0;
  bpf_probe_read_kernel(&first, 1, given);
  __u64 begin = at;
  if (first == '/') {
    struct task_struct* task = (struct task_struct*)bpf_get_current_task();
    struct fs_struct* fs = BPF_CORE_READ(task, fs);
    at = put_file_path(RD_SLOT_EVENT, &fs->root, at, RD_EXEC_DATA + RD_SCRIPT_ROOT_END);
  }
  if (at > sizeof(*record) - RD_SCRIPT_MAX) return begin;  // never; for the verifier
  long size = bpf_probe_read_kernel_str((__u8*)record + at, RD_SCRIPT_MAX, given);
  if (size <= 0) return begin;
  record->script_root_bytes = at - begin;
  record->script_bytes = size;
  return at + size;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(process_exec, struct task_struct* task, int old_pid, struct linux_binprm* bprm) {
  struct rd_exec* record = rd_scratch_get(RD_SLOT_EVENT);
  if (!record) return 0;
  rd_fill_head(&record->head, RD_EXEC, task);
  record->kernel_thread = 0;
  // The kernel copied the arguments into the new program's stack, which nobody else can reach yet.
  __u64 begin = BPF_CORE_READ(task, mm, arg_start);
  __u64 total = BPF_CORE_READ(task, mm, arg_end) - begin;
  __u64 size = total > RD_ARGUMENTS_MAX ? RD_ARGUMENTS_MAX : total;
  if (bpf_probe_read_user(record->data, size, (void*)begin) != 0) size = 0;
  record->arguments_total = total;
  record->arguments_bytes = size;
  __u64 end = fill_image(RD_SLOT_EVENT, record, RD_EXEC_DATA + size, task);
  end = put_script(record, end, bprm);
  begin = end;
  end = rd_put_variables(BPF_CORE_READ(task, mm), end, &record->variables_left);
  record->variables_bytes = end - begin;
  if (end > sizeof(*record)) return 0;  // never; for the verifier
  rd_send(&ring_critical, RD_LANE_CRITICAL, &record->head, end);
  return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(process_fork, struct task_struct* parent, struct task_struct* child) {
  if (BPF_CORE_READ(child, pid) != BPF_CORE_READ(child, tgid)) return 0;  // a thread
  struct rd_fork record = {};
  rd_fill_head(&record.head, RD_FORK, child);
  rd_fill_context(&record.context, child);
  rd_send(&ring_critical, RD_LANE_CRITICAL, &record.head, sizeof(record));
  return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(process_exit, struct task_struct* task) {
  // Two last threads that end at the same time may both see 0; the table takes the first.
  if (BPF_CORE_READ(task, signal, live.counter) != 0) return 0;
  struct rd_exit record = {};
  rd_fill_head(&record.head, RD_EXIT, task);
  struct signal_struct* signal = BPF_CORE_READ(task, signal);
  record.status = BPF_CORE_READ(signal, flags) & RD_SIGNAL_GROUP_EXIT ? BPF_CORE_READ(signal, group_exit_code)
                                                                      : BPF_CORE_READ(task, group_leader, exit_code);
  rd_send(&ring_critical, RD_LANE_CRITICAL, &record.head, sizeof(record));
  return 0;
}

SEC("iter/task")
int process_seed(struct bpf_iter__task* context) {
  struct seq_file* seq = context->meta->seq;
  struct task_struct* task = context->task;
  if (!task || BPF_CORE_READ(task, pid) != BPF_CORE_READ(task, tgid)) return 0;
  reader_tgid = bpf_get_current_pid_tgid() >> 32;
  struct rd_exec* record = rd_scratch_get(RD_SLOT_SEED);
  if (!record) return 0;
  rd_fill_head(&record->head, RD_SEED, task);
  record->kernel_thread = BPF_CORE_READ(task, mm) == 0;
  record->arguments_total = 0;
  record->arguments_bytes = 0;
  __u64 end = fill_image(RD_SLOT_SEED, record, RD_EXEC_DATA, task);
  if (end > sizeof(*record) - 8) return 0;
  end = (end + 7) & ~7ull;  // the reader finds one record behind the other, aligned
  record->head.bytes = end;
  bpf_seq_write(seq, record, end);
  return 0;
}
