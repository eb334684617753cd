// Filling in records of the file source: from the kernel's objects where there are any, from what the caller gave where
// there are none. Knows nothing of where the caller is attached.
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "sensor/bpf/actor.h"
#include "sensor/bpf/descriptor.h"
#include "sensor/bpf/kernel.h"
#include "sensor/bpf/lanes.h"
#include "sensor/bpf/path.h"
#include "sensor/bpf/path_filter.h"
#include "sensor/bpf/repeats.h"
#include "sensor/file/file_record.h"

enum {
  RD_AT_FDCWD = -100,
  RD_AT_SYMLINK_NOFOLLOW = 0x100,
  RD_AT_REMOVEDIR = 0x200,
  RD_FILE_DATA = __builtin_offsetof(struct rd_file, data),
};

_Static_assert(sizeof(struct rd_file) <= RD_SCRATCH_BYTES, "fits the scratch space");

// A path that the caller gave.
enum rd_given {
  RD_GIVEN_TO = 1,         // the second name of the call
  RD_GIVEN_IN_KERNEL = 2,  // the kernel's copy
};

// A record in a slot of the scratch space, for what the current task did.
static __always_inline struct rd_file* rd_file_begin_in(__u32 slot, __u32 action) {
  struct rd_file* record = rd_scratch_get(slot);
  if (!record) return 0;
  struct task_struct* task = (struct task_struct*)bpf_get_current_task();
  rd_fill_head(&record->head, RD_FILE, task);
  __builtin_memset(&record->inode, 0, RD_FILE_DATA - __builtin_offsetof(struct rd_file, inode));
  record->action = action;
  record->count = 1;
  record->uid = RD_ID_UNCHANGED;
  record->gid = RD_ID_UNCHANGED;
  record->mount_namespace = BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum);
  return record;
}

// Whether what the current task does to files is not told: asked of what else would be, and so counted.
static __always_inline int rd_file_is_silent(__u32 slot) {
  if (rd_is_quiet(bpf_get_current_pid_tgid() >> 32)) return 1;
  return rd_actor_is_excluded(slot, policy_now) && rd_count_excluded(RD_FILE);
}

// For handlers of system calls; 0 if what the task does is not told.
static __always_inline struct rd_file* rd_file_begin(__u32 action) {
  return rd_file_is_silent(RD_SLOT_EVENT) ? 0 : rd_file_begin_in(RD_SLOT_EVENT, action);
}

// For programs at functions, which found no slot free: what they would have told is lost.
static __always_inline int rd_file_count_unsent(void) {
  struct rd_head head = {};
  rd_fill_head(&head, RD_FILE, (struct task_struct*)bpf_get_current_task());
  rd_count_unsent(RD_LANE_BULK, &head);
  return 0;
}

// `record` lies in the slot.
static __always_inline int rd_file_send(__u32 slot, struct rd_file* record, __u64 end) {
  barrier_var(end);                     // or the compiler proves of one register what the verifier asks of another
  if (end > sizeof(*record)) return 0;  // never; for the verifier
  if (rd_count_repeat(slot, end)) return 0;
  rd_send(&ring_bulk, RD_LANE_BULK, &record->head, end);
  return 0;
}

static __always_inline void rd_file_fill_inode(struct rd_file* record, struct inode* inode) {
  record->inode = BPF_CORE_READ(inode, i_ino);
  record->size = BPF_CORE_READ(inode, i_size);
  record->mode = BPF_CORE_READ(inode, i_mode);
  record->uid = BPF_CORE_READ(inode, i_uid.val);
  record->gid = BPF_CORE_READ(inode, i_gid.val);
}

static __always_inline __u64 rd_file_put_path(__u32 slot, struct path* path, __u64 at, __u64 limit) {
  return rd_put_path(slot, (__u64)BPF_CORE_READ(path, dentry), (__u64)BPF_CORE_READ(path, mnt), at,
                     RD_FILE_DATA + limit);
}

// The path of `file`, as the first part; the end of it.
static __always_inline __u64 rd_file_put_file(__u32 slot, struct rd_file* record, struct file* file) {
  __u64 end = rd_file_put_path(slot, &file->f_path, RD_FILE_DATA, RD_PATH_END);
  record->path_bytes = end - RD_FILE_DATA;
  return end;
}

// The directory that a given path starts from.
static __always_inline struct path* rd_file_base(int directory_fd, char first) {
  struct task_struct* task = (struct task_struct*)bpf_get_current_task();
  struct fs_struct* fs = BPF_CORE_READ(task, fs);
  if (first == '/') return &fs->root;
  if (directory_fd == RD_AT_FDCWD) return &fs->pwd;
  struct file* file = rd_file_of(directory_fd);
  return file ? &file->f_path : 0;
}

static __always_inline long rd_read_given(void* to, __u32 bytes, __u64 given, __u32 kind) {
  return kind & RD_GIVEN_IN_KERNEL ? bpf_probe_read_kernel_str(to, bytes, (void*)given)
                                   : bpf_probe_read_user_str(to, bytes, (void*)given);
}

// The text that the caller gave, at scratch byte `at`: the end of it, or 0 if it cannot be read. Unless the kernel has
// its own copy, the caller can have changed it since.
static __always_inline __u64 rd_file_put_text(struct rd_file* record, __u64 at, __u64 given, __u32 kind, __u16* bytes) {
  if (at > sizeof(*record) - RD_GIVEN_PATH_MAX) return 0;  // never; for the verifier
  long size = rd_read_given((__u8*)record + at, RD_GIVEN_PATH_MAX, given, kind);
  if (size <= 0) return 0;
  *bytes = size;
  return at + size;
}

// Whether the call only makes or takes away one name, without following links.
static __always_inline int rd_file_is_of_one_name(__u32 action) {
  return action == RD_FILE_DELETE || action == RD_FILE_MKDIR || action == RD_FILE_RMDIR || action == RD_FILE_SYMLINK ||
         action == RD_FILE_MKNOD;
}

// Whether a name in the directory is excluded. Of what is not one plain name nothing is said yet: the user side looks
// again when it knows where the path leads.
static __always_inline int rd_file_name_is_excluded(__u32 slot, struct path* directory, __u64 given) {
  __u32 policy = policy_now;
  if (!rd_policy_has(policy, RD_PATH_EXCLUDED)) return 0;
  struct rd_path_edge edge = {};
  long size = bpf_probe_read_user_str(edge.name, sizeof(edge.name), (void*)given);
  if (size <= 1 || size >= RD_PATH_NAME_BYTES) return 0;
  for (int i = 0; i < RD_PATH_NAME_BYTES; i++) {
    if (edge.name[i] == '/') return 0;
  }
  edge.state = rd_directory_state(slot, BPF_CORE_READ(directory, dentry), BPF_CORE_READ(directory, mnt), policy, 0);
  struct rd_path_state* row = bpf_map_lookup_elem(&path_states, &edge.state);
  if (!row) return 0;
  __u32* next = bpf_map_lookup_elem(&path_edges, &edge);
  return (rd_path_flags(next ? *next : row->next) & RD_PATH_EXCLUDED) != 0;
}

// Whether the name that the caller gave, and the record in the scratch space is about, is excluded.
RD_WALK __u32 rd_file_given_is_excluded(__u32 slot, __u32 directory_fd, __u64 given) {
  struct rd_file* record = rd_scratch_get(slot);
  if (!record || !rd_file_is_of_one_name(record->action)) return 0;
  char first = 0;
  bpf_probe_read_user(&first, 1, (void*)given);
  struct path* base = rd_file_base((int)directory_fd, first);
  return base && rd_file_name_is_excluded(slot, base, given) && rd_count_excluded(RD_FILE);
}

// Appends the base directory and the given path (`kind` of rd_given) to the record in the scratch space. The new end,
// or 0.
RD_WALK __u64 rd_file_put_given_in(__u32 slot, __u64 at, __u32 directory_fd, __u64 given, __u32 kind) {
  struct rd_file* record = rd_scratch_get(slot);
  if (!record) return 0;
  char first[2] = {};
  rd_read_given(first, sizeof(first), given, kind);
  struct path* base = rd_file_base((int)directory_fd, first[0]);
  if (!base) return 0;
  __u64 begin = at;
  at = rd_file_put_path(slot, base, at, kind & RD_GIVEN_TO ? RD_TO_BASE_END : RD_BASE_END);
  if (kind & RD_GIVEN_TO) {
    record->to_base_bytes = at - begin;
    return rd_file_put_text(record, at, given, kind, &record->to_given_bytes);
  }
  record->base_bytes = at - begin;
  return rd_file_put_text(record, at, given, kind, &record->given_bytes);
}

// For handlers of system calls.
static __always_inline __u64 rd_file_put_given(__u64 at, __u32 directory_fd, __u64 given, __u32 kind) {
  return rd_file_put_given_in(RD_SLOT_EVENT, at, directory_fd, given, kind);
}

static __always_inline void rd_file_forget_given(struct rd_file* record) {
  record->base_bytes = 0;
  record->given_bytes = 0;
  record->to_base_bytes = 0;
  record->to_given_bytes = 0;
}
