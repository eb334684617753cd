// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Permissions, owners and lengths that are set, by descriptor or by path. Handlers of the system call dispatcher.
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "sensor/bpf/arch.h"
#include "sensor/bpf/file_fill.h"

char rd_license[] __weak SEC("license") = "Dual BSD/GPL";

// What a call sets; the record takes what its action is about.
struct attribute_call {
  __u32 action;
  __u32 mode;
  __u32 uid;
  __u32 gid;
  __u32 flags;
  __u64 length;
};

static __always_inline struct rd_file* begin(long result, const struct attribute_call* call) {
  struct rd_file* record = result == 0 ? rd_file_begin(call->action) : 0;
  if (!record) return 0;
  record->mode = call->mode;
  record->uid = call->uid;
  record->gid = call->gid;
  record->flags = call->flags;
  record->size = call->length;
  return record;
}

static __always_inline int tell_path(long result, const struct attribute_call* call, int directory_fd, __u64 path) {
  struct rd_file* record = begin(result, call);
  if (!record) return 0;
  __u64 end = rd_file_put_given(RD_FILE_DATA, directory_fd, path, 0);
  return end ? rd_file_send(record, end) : 0;
}

static __always_inline int tell_descriptor(long result, const struct attribute_call* call, int descriptor) {
  struct file* file = result == 0 ? rd_file_of(descriptor) : 0;
  if (!file) return 0;
  __u32 policy = policy_now;
  if (rd_policy_has(policy, RD_PATH_EXCLUDED) && rd_flags_of_path(&file->f_path, policy) & RD_PATH_EXCLUDED) return 0;
  struct rd_file* record = begin(result, call);
  if (!record) return 0;
  struct inode* inode = BPF_CORE_READ(file, f_inode);
  rd_file_fill_inode(record, inode);
  if (call->action == RD_FILE_OWNER) {  // an id of -1 leaves it, and the event says so by its absence
    record->uid = call->uid;
    record->gid = call->gid;
  }
  return rd_file_send(record, rd_file_put_file(record, file));
}

// An id of 16 bits; its -1 is the other's.
static __always_inline __u32 wide_id(__u64 id) { return (__u16)id == 0xffff ? RD_ID_UNCHANGED : (__u16)id; }

#define ARG(position) rd_syscall_argument(regs, position)
#define MODE(bits) \
  {.action = RD_FILE_PERMISSION, .mode = (bits) & 07777, .uid = RD_ID_UNCHANGED, .gid = RD_ID_UNCHANGED}
#define OWNER(user, group) {.action = RD_FILE_OWNER, .uid = (user), .gid = (group)}
#define LENGTH(bytes) {.action = RD_FILE_TRUNCATE, .uid = RD_ID_UNCHANGED, .gid = RD_ID_UNCHANGED, .length = (bytes)}

SEC("tp_btf/sys_exit")
int BPF_PROG(file_chmod, struct pt_regs* regs, long result) {
  struct attribute_call call = MODE(ARG(1));
  return tell_path(result, &call, RD_AT_FDCWD, ARG(0));
}

SEC("tp_btf/sys_exit")
int BPF_PROG(file_fchmod, struct pt_regs* regs, long result) {
  struct attribute_call call = MODE(ARG(1));
  return tell_descriptor(result, &call, ARG(0));
}

SEC("tp_btf/sys_exit")
int BPF_PROG(file_fchmodat, struct pt_regs* regs, long result) {
  struct attribute_call call = MODE(ARG(2));
  return tell_path(result, &call, ARG(0), ARG(1));
}

SEC("tp_btf/sys_exit")
int BPF_PROG(file_fchmodat2, struct pt_regs* regs, long result) {
  struct attribute_call call = MODE(ARG(2));
  call.flags = ARG(3);
  return tell_path(result, &call, ARG(0), ARG(1));
}

SEC("tp_btf/sys_exit")
int BPF_PROG(file_chown, struct pt_regs* regs, long result) {
  struct attribute_call call = OWNER(ARG(1), ARG(2));
  return tell_path(result, &call, RD_AT_FDCWD, ARG(0));
}

SEC("tp_btf/sys_exit")
int BPF_PROG(file_lchown, struct pt_regs* regs, long result) {
  struct attribute_call call = OWNER(ARG(1), ARG(2));
  call.flags = RD_AT_SYMLINK_NOFOLLOW;
  return tell_path(result, &call, RD_AT_FDCWD, ARG(0));
}

SEC("tp_btf/sys_exit")
int BPF_PROG(file_fchown, struct pt_regs* regs, long result) {
  struct attribute_call call = OWNER(ARG(1), ARG(2));
  return tell_descriptor(result, &call, ARG(0));
}

SEC("tp_btf/sys_exit")
int BPF_PROG(file_fchownat, struct pt_regs* regs, long result) {
  struct attribute_call call = OWNER(ARG(2), ARG(3));
  call.flags = ARG(4);
  return tell_path(result, &call, ARG(0), ARG(1));
}

SEC("tp_btf/sys_exit")
int BPF_PROG(file_truncate, struct pt_regs* regs, long result) {
  struct attribute_call call = LENGTH(ARG(1));
  return tell_path(result, &call, RD_AT_FDCWD, ARG(0));
}

SEC("tp_btf/sys_exit")
int BPF_PROG(file_ftruncate, struct pt_regs* regs, long result) {
  struct attribute_call call = LENGTH(ARG(1));
  return tell_descriptor(result, &call, ARG(0));
}

// i386: ids of 16 bits, lengths of two words.
SEC("tp_btf/sys_exit")
int BPF_PROG(file_chown_16, struct pt_regs* regs, long result) {
  struct attribute_call call = OWNER(wide_id(ARG(1)), wide_id(ARG(2)));
  return tell_path(result, &call, RD_AT_FDCWD, ARG(0));
}

SEC("tp_btf/sys_exit")
int BPF_PROG(file_lchown_16, struct pt_regs* regs, long result) {
  struct attribute_call call = OWNER(wide_id(ARG(1)), wide_id(ARG(2)));
  call.flags = RD_AT_SYMLINK_NOFOLLOW;
  return tell_path(result, &call, RD_AT_FDCWD, ARG(0));
}

SEC("tp_btf/sys_exit")
int BPF_PROG(file_fchown_16, struct pt_regs* regs, long result) {
  struct attribute_call call = OWNER(wide_id(ARG(1)), wide_id(ARG(2)));
  return tell_descriptor(result, &call, ARG(0));
}

SEC("tp_btf/sys_exit")
int BPF_PROG(file_truncate_64, struct pt_regs* regs, long result) {
  struct attribute_call call = LENGTH(ARG(1) | ARG(2) << 32);
  return tell_path(result, &call, RD_AT_FDCWD, ARG(0));
}

SEC("tp_btf/sys_exit")
int BPF_PROG(file_ftruncate_64, struct pt_regs* regs, long result) {
  struct attribute_call call = LENGTH(ARG(1) | ARG(2) << 32);
  return tell_descriptor(result, &call, ARG(0));
}
