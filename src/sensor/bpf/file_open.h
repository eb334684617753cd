// Which opened files are told, and what of them: for both tiers.
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "sensor/bpf/arch.h"
#include "sensor/bpf/errors.h"
#include "sensor/bpf/file_fill.h"

enum {
  RD_FMODE_READ = 0x1,
  RD_FMODE_WRITE = 0x2,
  RD_FMODE_CREATED = 0x100000,
  RD_O_WRONLY = 01,
  RD_O_CREAT = 0100,
  RD_O_EXCL = 0200,
  RD_O_TRUNC = 01000,
  RD_O_CLOEXEC = 02000000,
  // An open file does not keep these flags.
  RD_O_ONCE = RD_O_CREAT | RD_O_EXCL | RD_O_TRUNC | RD_O_CLOEXEC,
};

// Whether an open that came to `result` failed for want of permission, and that is told.
static __always_inline int rd_is_denied_open(long result) {
  return (result == -RD_EACCES || result == -RD_EPERM) && !(actions_off >> RD_FILE_DENIED & 1);
}

// What open() in its forms was called with.
struct rd_open_call {
  __u64 given;  // 0: no path
  int directory_fd;
  __u32 flags;
};

// The arguments of the call that is being made.
static __always_inline struct rd_open_call rd_open_call_of(struct pt_regs* regs) {
  __u32 number = rd_syscall_number(regs);
  int is_compat = rd_is_compat();
  if (number == (is_compat ? RD_OPEN_COMPAT : RD_OPEN)) {
    return (struct rd_open_call){rd_syscall_argument(regs, 0), RD_AT_FDCWD, rd_syscall_argument(regs, 1)};
  }
  if (number == (is_compat ? RD_CREAT_COMPAT : RD_CREAT)) {
    return (struct rd_open_call){rd_syscall_argument(regs, 0), RD_AT_FDCWD, RD_O_CREAT | RD_O_WRONLY | RD_O_TRUNC};
  }
  if (number == (is_compat ? RD_OPEN_BY_HANDLE_COMPAT : RD_OPEN_BY_HANDLE)) {
    return (struct rd_open_call){0, RD_AT_FDCWD, rd_syscall_argument(regs, 2)};
  }
  __u64 flags = rd_syscall_argument(regs, 2);
  // Those of openat2() lie in the caller's memory: the first member of struct open_how.
  if (number == RD_OPENAT2) bpf_probe_read_user(&flags, sizeof(flags), (void*)flags);
  return (struct rd_open_call){rd_syscall_argument(regs, 1), rd_syscall_argument(regs, 0), flags};
}

// What is to be told of an opened file: its action, 0 for nothing. Most opens end here, so the cheap questions come
// first. `in_place`: the verifier knows that it is a file.
static __always_inline __u32 rd_open_action(__u32 slot, struct file* file, int in_place) {
  __u32 policy = policy_now;
  struct rd_walk* walk = rd_walk_get(slot);
  if (!walk) return 0;  // never; for the verifier
  if (!in_place) rd_fill_bytes(walk->file, file);
  __u32 mode = rd_field_at(in_place, walk->file, file, f_mode);
  struct inode* inode = rd_field_at(in_place, walk->file, file, f_inode);
  struct dentry* dentry = rd_field_at(in_place, walk->file, file, f_path.dentry);
  struct vfsmount* mount = rd_field_at(in_place, walk->file, file, f_path.mnt);
  __u16 type = rd_read_at(in_place, inode, i_mode) & RD_S_IFMT;
  if (mode & (RD_FMODE_WRITE | RD_FMODE_CREATED)) {
    if (type != RD_S_IFREG) return 0;
    if (rd_policy_has(policy, RD_PATH_EXCLUDED) &&
        rd_flags_of(slot, dentry, mount, policy, in_place) & RD_PATH_EXCLUDED && rd_count_excluded(RD_FILE))
      return 0;
    return mode & RD_FMODE_CREATED ? RD_FILE_CREATE : RD_FILE_WRITE;
  }
  if (!(mode & RD_FMODE_READ) || !rd_policy_has(policy, RD_PATH_READ) || reads_off) return 0;
  if (type != RD_S_IFREG && type != RD_S_IFDIR) return 0;
  __u32 flags = rd_flags_of(slot, dentry, mount, policy, in_place);
  if (!(flags & RD_PATH_READ)) return 0;
  return flags & RD_PATH_EXCLUDED && rd_count_excluded(RD_FILE) ? 0 : RD_FILE_READ;
}

// All that the kernel knows of it; the end of its path. `flags` are those of the call.
static __always_inline __u64 rd_put_opened(__u32 slot, struct rd_file* record, struct file* file, __u32 flags) {
  record->flags = (BPF_CORE_READ(file, f_flags) & ~RD_O_ONCE) | (flags & RD_O_ONCE);
  rd_file_fill_inode(record, BPF_CORE_READ(file, f_inode));
  return rd_file_put_file(slot, record, file);
}
