// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Names of files: made, linked, moved, taken away. No descriptor leads to what these calls did, so the record holds
// what the caller gave and the kernel's own path of the directory it is relative to. Handlers of the system call
// dispatcher.
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "sensor/bpf/arch.h"
#include "sensor/bpf/file_fill.h"

char rd_license[] __weak SEC("license") = "Dual BSD/GPL";

// One name and where it is looked up.
struct given_name {
  int directory_fd;
  __u64 path;
};

static __always_inline int tell_name(struct rd_file* record, struct given_name name) {
  __u64 end = rd_file_put_given(RD_FILE_DATA, name.directory_fd, name.path, 0);
  return end ? rd_file_send(record, end) : 0;
}

static __always_inline int tell_removal(long result, __u32 action, struct given_name name) {
  struct rd_file* record = result == 0 ? rd_file_begin(action) : 0;
  return record ? tell_name(record, name) : 0;
}

// `mode` with the type of what is made.
static __always_inline int tell_node(long result, __u32 action, struct given_name name, __u32 mode, __u32 device) {
  struct rd_file* record = result == 0 ? rd_file_begin(action) : 0;
  if (!record) return 0;
  struct task_struct* task = (struct task_struct*)bpf_get_current_task();
  record->mode = mode & ~BPF_CORE_READ(task, fs, umask);
  record->device = device;
  return tell_name(record, name);
}

static __always_inline int tell_pair(long result, __u32 action, struct given_name from, struct given_name to,
                                     __u32 flags) {
  struct rd_file* record = result == 0 ? rd_file_begin(action) : 0;
  if (!record) return 0;
  record->flags = flags;
  __u64 end = rd_file_put_given(RD_FILE_DATA, from.directory_fd, from.path, 0);
  if (end) end = rd_file_put_given(end, to.directory_fd, to.path, 1);
  return end ? rd_file_send(record, end) : 0;
}

static __always_inline int tell_symlink(long result, struct given_name name, __u64 text) {
  struct rd_file* record = result == 0 ? rd_file_begin(RD_FILE_SYMLINK) : 0;
  if (!record) return 0;
  __u64 end = rd_file_put_given(RD_FILE_DATA, name.directory_fd, name.path, 0);
  if (end) end = rd_file_put_text(record, end, text, &record->to_given_bytes);
  return end ? rd_file_send(record, end) : 0;
}

#define ARG(position) rd_syscall_argument(regs, position)
#define HERE(path) ((struct given_name){RD_AT_FDCWD, path})
#define AT(directory_fd, path) ((struct given_name){directory_fd, path})

SEC("tp_btf/sys_exit")
int BPF_PROG(file_unlink, struct pt_regs* regs, long result) {
  return tell_removal(result, RD_FILE_DELETE, HERE(ARG(0)));
}

SEC("tp_btf/sys_exit")
int BPF_PROG(file_unlinkat, struct pt_regs* regs, long result) {
  return tell_removal(result, ARG(2) & RD_AT_REMOVEDIR ? RD_FILE_RMDIR : RD_FILE_DELETE, AT(ARG(0), ARG(1)));
}

SEC("tp_btf/sys_exit")
int BPF_PROG(file_rmdir, struct pt_regs* regs, long result) {
  return tell_removal(result, RD_FILE_RMDIR, HERE(ARG(0)));
}

SEC("tp_btf/sys_exit")
int BPF_PROG(file_rename, struct pt_regs* regs, long result) {
  return tell_pair(result, RD_FILE_RENAME, HERE(ARG(0)), HERE(ARG(1)), 0);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(file_renameat, struct pt_regs* regs, long result) {
  return tell_pair(result, RD_FILE_RENAME, AT(ARG(0), ARG(1)), AT(ARG(2), ARG(3)), 0);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(file_renameat2, struct pt_regs* regs, long result) {
  return tell_pair(result, RD_FILE_RENAME, AT(ARG(0), ARG(1)), AT(ARG(2), ARG(3)), ARG(4));
}

SEC("tp_btf/sys_exit")
int BPF_PROG(file_link, struct pt_regs* regs, long result) {
  return tell_pair(result, RD_FILE_LINK, HERE(ARG(0)), HERE(ARG(1)), 0);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(file_linkat, struct pt_regs* regs, long result) {
  return tell_pair(result, RD_FILE_LINK, AT(ARG(0), ARG(1)), AT(ARG(2), ARG(3)), ARG(4));
}

SEC("tp_btf/sys_exit")
int BPF_PROG(file_symlink, struct pt_regs* regs, long result) { return tell_symlink(result, HERE(ARG(1)), ARG(0)); }

SEC("tp_btf/sys_exit")
int BPF_PROG(file_symlinkat, struct pt_regs* regs, long result) {
  return tell_symlink(result, AT(ARG(1), ARG(2)), ARG(0));
}

SEC("tp_btf/sys_exit")
int BPF_PROG(file_mkdir, struct pt_regs* regs, long result) {
  return tell_node(result, RD_FILE_MKDIR, HERE(ARG(0)), RD_S_IFDIR | ARG(1), 0);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(file_mkdirat, struct pt_regs* regs, long result) {
  return tell_node(result, RD_FILE_MKDIR, AT(ARG(0), ARG(1)), RD_S_IFDIR | ARG(2), 0);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(file_mknod, struct pt_regs* regs, long result) {
  return tell_node(result, RD_FILE_MKNOD, HERE(ARG(0)), ARG(1), ARG(2));
}

SEC("tp_btf/sys_exit")
int BPF_PROG(file_mknodat, struct pt_regs* regs, long result) {
  return tell_node(result, RD_FILE_MKNOD, AT(ARG(0), ARG(1)), ARG(2), ARG(3));
}
