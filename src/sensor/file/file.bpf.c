// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Files: created, opened for writing, renamed, deleted. Handlers of the system call dispatcher.
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "sensor/bpf/actor.h"
#include "sensor/bpf/arch.h"
#include "sensor/bpf/descriptor.h"
#include "sensor/bpf/kernel.h"
#include "sensor/bpf/lanes.h"
#include "sensor/bpf/path.h"
#include "sensor/file/file_record.h"

// For layout_test.cc: brings the types into the BTF.
const struct rd_file* rd_layout_file __attribute__((unused));

char rd_license[] __weak SEC("license") = "Dual BSD/GPL";

enum {
  RD_FMODE_WRITE = 0x2,
  RD_FMODE_CREATED = 0x100000,
  RD_AT_FDCWD = -100,
  RD_AT_REMOVEDIR = 0x200,
  RD_FILE_DATA = __builtin_offsetof(struct rd_file, data),
};

_Static_assert(sizeof(struct rd_file) <= RD_SCRATCH_BYTES, "fits the scratch space");

static __always_inline struct rd_file* begin_record(__u32 action) {
  struct rd_file* record = rd_scratch_get(RD_SLOT_EVENT);
  if (!record) return 0;
  rd_fill_head(&record->head, RD_FILE, (struct task_struct*)bpf_get_current_task());
  record->action = action;
  record->inode = 0;
  record->size = 0;
  record->directory_bytes = 0;
  record->given_bytes = 0;
  record->to_directory_bytes = 0;
  record->to_given_bytes = 0;
  return record;
}

static __always_inline void send_record(struct rd_file* record, __u64 end) {
  if (end > sizeof(*record)) return;  // never; for the verifier
  rd_send(&ring_bulk, RD_LANE_BULK, &record->head, end);
}

static __always_inline __u64 put_file_path(struct path* path, __u64 at, __u64 limit) {
  return rd_put_path(RD_SLOT_EVENT, (__u64)BPF_CORE_READ(path, dentry), (__u64)BPF_CORE_READ(path, mnt), at,
                     RD_FILE_DATA + limit);
}

// open, openat, openat2, creat, open_by_handle_at: what counts is the file behind the new descriptor.
SEC("tp_btf/sys_exit")
int BPF_PROG(file_open, struct pt_regs* regs, long result) {
  if (result < 0) return 0;
  struct file* file = rd_file_of(result);
  if (!file) return 0;
  __u32 mode = BPF_CORE_READ(file, f_mode);
  if (!(mode & (RD_FMODE_WRITE | RD_FMODE_CREATED))) return 0;
  struct inode* inode = BPF_CORE_READ(file, f_inode);
  if (!rd_has_type(inode, RD_S_IFREG)) return 0;
  if (rd_is_quiet(bpf_get_current_pid_tgid() >> 32)) return 0;
  struct rd_file* record = begin_record(mode & RD_FMODE_CREATED ? RD_FILE_CREATE : RD_FILE_WRITE);
  if (!record) return 0;
  record->inode = BPF_CORE_READ(inode, i_ino);
  record->size = BPF_CORE_READ(inode, i_size);
  __u64 end = put_file_path(&file->f_path, RD_FILE_DATA, RD_FIRST_END);
  record->directory_bytes = end - RD_FILE_DATA;
  send_record(record, end);
  return 0;
}

// The directory that a given path starts from.
static __always_inline struct path* base_of(int directory_fd, char first) {
  struct task_struct* task = (struct task_struct*)bpf_get_current_task();
  struct fs_struct* fs = BPF_CORE_READ(task, fs);
  if (first == '/') return &fs->root;
  if (directory_fd == RD_AT_FDCWD) return &fs->pwd;
  struct file* file = rd_file_of(directory_fd);
  return file ? &file->f_path : 0;
}

// Appends the base directory and the given path; returns the new end, or 0 if the path cannot be read.
static __always_inline __u64 put_given(struct rd_file* record, __u64 at, __u64 limit, int directory_fd, __u64 given,
                                       __u16* base_bytes, __u16* given_bytes) {
  char first = 0;
  bpf_probe_read_user(&first, 1, (void*)given);
  struct path* base = base_of(directory_fd, first);
  if (!base) return 0;
  __u64 begin = at;
  at = put_file_path(base, at, limit);
  *base_bytes = at - begin;
  if (at > sizeof(*record) - RD_GIVEN_PATH_MAX) return 0;  // never; for the verifier
  long size = bpf_probe_read_user_str((__u8*)record + at, RD_GIVEN_PATH_MAX, (void*)given);
  if (size <= 0) return 0;
  *given_bytes = size;
  return at + size;
}

static __always_inline int tell_delete(int directory_fd, __u64 given) {
  if (rd_is_quiet(bpf_get_current_pid_tgid() >> 32)) return 0;
  struct rd_file* record = begin_record(RD_FILE_DELETE);
  if (!record) return 0;
  __u64 at = put_given(record, RD_FILE_DATA, RD_FIRST_END, directory_fd, given, &record->directory_bytes,
                       &record->given_bytes);
  if (at) send_record(record, at);
  return 0;
}

static __always_inline int tell_rename(int from_fd, __u64 from, int to_fd, __u64 to) {
  if (rd_is_quiet(bpf_get_current_pid_tgid() >> 32)) return 0;
  struct rd_file* record = begin_record(RD_FILE_RENAME);
  if (!record) return 0;
  __u64 at =
      put_given(record, RD_FILE_DATA, RD_FIRST_END, from_fd, from, &record->directory_bytes, &record->given_bytes);
  if (!at) return 0;
  at = put_given(record, at, RD_SECOND_END, to_fd, to, &record->to_directory_bytes, &record->to_given_bytes);
  if (at) send_record(record, at);
  return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(file_unlink, struct pt_regs* regs, long result) {
  return result == 0 ? tell_delete(RD_AT_FDCWD, rd_syscall_argument(regs, 0)) : 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(file_unlinkat, struct pt_regs* regs, long result) {
  if (result != 0 || rd_syscall_argument(regs, 2) & RD_AT_REMOVEDIR) return 0;
  return tell_delete(rd_syscall_argument(regs, 0), rd_syscall_argument(regs, 1));
}

SEC("tp_btf/sys_exit")
int BPF_PROG(file_rename, struct pt_regs* regs, long result) {
  if (result != 0) return 0;
  return tell_rename(RD_AT_FDCWD, rd_syscall_argument(regs, 0), RD_AT_FDCWD, rd_syscall_argument(regs, 1));
}

SEC("tp_btf/sys_exit")
int BPF_PROG(file_renameat, struct pt_regs* regs, long result) {
  if (result != 0) return 0;
  return tell_rename(rd_syscall_argument(regs, 0), rd_syscall_argument(regs, 1), rd_syscall_argument(regs, 2),
                     rd_syscall_argument(regs, 3));
}
