// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Names and attributes that change, in the lsm tier. The security hooks know the paths that the kernel resolved, before
// the deed; the ends of the system calls (tell.bpf.c) and of the io_uring requests (request_lsm.bpf.c) know whether it
// was done.
//
// fentry and not LSM programs: they see the same arguments, run whether or not "bpf" is among the active modules, and
// nothing is denied here.
#include "sensor/bpf/function.h"

#include "sensor/bpf/arch.h"
#include "sensor/bpf/claim.h"
#include "sensor/bpf/file_fill.h"
#include "sensor/bpf/resolved.h"
#include "sensor/bpf/truncating.h"

char rd_license[] __weak SEC("license") = "Dual BSD/GPL";

enum { RD_RESOLVED_DATA = __builtin_offsetof(struct rd_resolved, data) };

// One name: a directory entry under a mount.
struct place {
  struct dentry* dentry;
  struct vfsmount* mount;
};

#define IN(directory, entry) ((struct place){entry, BPF_CORE_READ(directory, mnt)})
#define OF(path) ((struct place){BPF_CORE_READ(path, dentry), BPF_CORE_READ(path, mnt)})
#define NOWHERE ((struct place){0, 0})

// What goes with the names.
struct deed {
  __u32 action;
  __u32 mode;        // of what is made
  __u32 device;      // of a node
  const char* text;  // of a symbolic link
};

static __always_inline void fill_file(struct rd_resolved* kept, struct dentry* entry, const struct deed* deed) {
  struct inode* inode = BPF_CORE_READ(entry, d_inode);
  kept->inode_address = (__u64)inode;
  kept->inode = BPF_CORE_READ(inode, i_ino);
  kept->size = BPF_CORE_READ(inode, i_size);
  kept->mode = inode ? BPF_CORE_READ(inode, i_mode) : deed->mode;
  kept->uid = BPF_CORE_READ(inode, i_uid.val);
  kept->gid = BPF_CORE_READ(inode, i_gid.val);
  kept->device = deed->device;
  kept->action = deed->action;
  kept->is_excluded = 0;
  kept->path_bytes = 0;
  kept->to_path_bytes = 0;
}

static __always_inline __u64 put_text(struct rd_resolved* kept, __u64 at, const char* text) {
  if (at > sizeof(*kept) - RD_GIVEN_PATH_MAX) return at;
  long size = bpf_probe_read_kernel_str((__u8*)kept + at, RD_GIVEN_PATH_MAX, text);
  return size > 0 ? at + size : at;
}

static __always_inline void fill_names(struct rd_resolved* kept, __u32 slot, const struct deed* deed, struct place from,
                                       struct place to) {
  __u64 limit = RD_RESOLVED_DATA + RD_RESOLVED_END;
  __u64 end = rd_put_path(slot, rd_number(from.dentry), rd_number(from.mount), RD_RESOLVED_DATA, limit);
  kept->path_bytes = end - RD_RESOLVED_DATA;
  if (to.dentry) {
    limit = RD_RESOLVED_DATA + RD_RESOLVED_TO_END;
    kept->to_path_bytes = rd_put_path(slot, rd_number(to.dentry), rd_number(to.mount), end, limit) - end;
  } else if (deed->text) {
    kept->to_path_bytes = put_text(kept, end, deed->text) - end;
  }
}

static __always_inline int is_excluded(__u32 slot, struct place place) {
  __u32 policy = policy_now;
  if (!rd_policy_has(policy, RD_PATH_EXCLUDED)) return 0;
  struct dentry* dentry = (void*)rd_number(place.dentry);
  return (rd_flags_of(slot, dentry, (void*)rd_number(place.mount), policy, 0) & RD_PATH_EXCLUDED) != 0;
}

// Without a slot or room the call is told by what the caller gave. Whether the policy leaves out who acts is looked at
// where the call ends.
static __always_inline int keep(const struct deed* deed, struct place from, struct place to) {
  if (actions_off >> deed->action & 1 || rd_is_quiet(bpf_get_current_pid_tgid() >> 32)) return 0;
  __u32 slot = rd_slot_claim();
  if (slot >= RD_SLOTS) return 0;
  struct rd_resolved* kept = rd_scratch_get(slot);
  if (kept) {
    __u64 thread = bpf_get_current_pid_tgid();
    fill_file(kept, from.dentry, deed);
    // Both of two names, so that nothing leaves or enters an excluded directory unseen.
    kept->is_excluded = is_excluded(slot, from) && (!to.dentry || is_excluded(slot, to));
    if (!kept->is_excluded) fill_names(kept, slot, deed, from, to);
    if (bpf_map_update_elem(&resolved, &thread, kept, BPF_ANY) != 0) rd_resolved_drop();
  }
  rd_slot_release(slot);
  return 0;
}

SEC("fentry/security_path_unlink")
int BPF_PROG(file_hook_unlink, const struct path* directory, struct dentry* entry) {
  struct deed deed = {.action = RD_FILE_DELETE};
  return keep(&deed, IN(directory, entry), NOWHERE);
}

SEC("fentry/security_path_rmdir")
int BPF_PROG(file_hook_rmdir, const struct path* directory, struct dentry* entry) {
  struct deed deed = {.action = RD_FILE_RMDIR};
  return keep(&deed, IN(directory, entry), NOWHERE);
}

SEC("fentry/security_path_rename")
int BPF_PROG(file_hook_rename, const struct path* from_directory, struct dentry* from, const struct path* to_directory,
             struct dentry* to) {
  struct deed deed = {.action = RD_FILE_RENAME};
  return keep(&deed, IN(from_directory, from), IN(to_directory, to));
}

// Hard links never leave a mount.
SEC("fentry/security_path_link")
int BPF_PROG(file_hook_link, struct dentry* from, const struct path* to_directory, struct dentry* to) {
  struct deed deed = {.action = RD_FILE_LINK};
  return keep(&deed, IN(to_directory, from), IN(to_directory, to));
}

SEC("fentry/security_path_symlink")
int BPF_PROG(file_hook_symlink, const struct path* directory, struct dentry* entry, const char* text) {
  struct deed deed = {.action = RD_FILE_SYMLINK, .text = text};
  return keep(&deed, IN(directory, entry), NOWHERE);
}

SEC("fentry/security_path_mkdir")
int BPF_PROG(file_hook_mkdir, const struct path* directory, struct dentry* entry, __u16 mode) {
  struct deed deed = {.action = RD_FILE_MKDIR, .mode = RD_S_IFDIR | mode};
  return keep(&deed, IN(directory, entry), NOWHERE);
}

// open() comes here too when it creates a file, and bind() for a socket; neither is told as a node.
SEC("fentry/security_path_mknod")
int BPF_PROG(file_hook_mknod, const struct path* directory, struct dentry* entry, __u16 mode, unsigned int device) {
  if (!rd_is_mknod(rd_syscall_number(rd_entry_registers()))) return 0;
  struct deed deed = {.action = RD_FILE_MKNOD, .mode = mode, .device = device};
  return keep(&deed, IN(directory, entry), NOWHERE);
}

SEC("fentry/security_path_chmod")
int BPF_PROG(file_hook_chmod, const struct path* path) {
  struct deed deed = {.action = RD_FILE_PERMISSION};
  return keep(&deed, OF(path), NOWHERE);
}

SEC("fentry/security_path_chown")
int BPF_PROG(file_hook_chown, const struct path* path) {
  struct deed deed = {.action = RD_FILE_OWNER};
  return keep(&deed, OF(path), NOWHERE);
}

// open() comes to both of these too.
SEC("fentry/security_path_truncate")
int BPF_PROG(file_hook_truncate, const struct path* path) {
  if (!rd_is_truncate(rd_syscall_number(rd_entry_registers()))) return 0;
  struct deed deed = {.action = RD_FILE_TRUNCATE};
  return keep(&deed, OF(path), NOWHERE);
}

// Of descriptors, since Linux 6.2.
SEC("fentry/security_file_truncate")
int BPF_PROG(file_hook_truncate_open, struct file* file) {
  if (!rd_is_truncate(rd_syscall_number(rd_entry_registers())) && !rd_is_truncating()) return 0;
  struct deed deed = {.action = RD_FILE_TRUNCATE};
  const struct path* path = __builtin_preserve_access_index(&file->f_path);
  return keep(&deed, OF(path), NOWHERE);
}
