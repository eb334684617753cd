// Files that are open for writing, from their open to their last close, where it is told whether they were changed.
// What is told is decided at the open, by the same policy. That a file was written into is not asked of the calls that
// write, which are too many: its size and times say it.
//
// The lsm tier has a hook at the last close (close_lsm.bpf.c). In the tracepoint tier the ends of close() and dup2(),
// which puts another file in the place of one, look whether it was the last one; what is closed in another way (at the
// end of a process, with a descriptor that another process has) is found by the reader, who looks over the files
// several times a second (change.bpf.c): one whose place in memory is free, or taken by another, was closed.
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "sensor/bpf/file_fill.h"
#include "sensor/bpf/file_open.h"
#include "sensor/bpf/inode_time.h"
#include "sensor/bpf/writers.h"

enum {
  RD_OPEN_FILES_MAX = 4096,
  RD_KEPT_PATH_BYTES = 512,       // of a file with a longer path, the change is told only if the path can still be read
  RD_TICK_NS = 20 * 1000 * 1000,  // times of files stand still for so long, at most
};

// How a file was found to be closed.
enum rd_closed {
  RD_CLOSED_BEFORE = 0,  // some time ago: where its name has led since is not known
  RD_CLOSED_NOW = 1,     // just now
  RD_CLOSING = 2,        // all of it is still there
};

struct rd_open_file {
  __u64 inode;  // this and the next three are addresses
  __u64 dentry;
  __u64 mount;
  __u64 mount_root;
  __u64 parent;  // with the next: which name the path ends in
  __u64 name_hash;
  __s64 written_ns;  // the inode's times
  __s64 changed_ns;
  __u32 links;
  __u32 is_certain;  // closing it is a change: it was emptied, mapped, or changed too lately for its times to tell
  __u64 path_bytes;
  __u64 record[RD_FILE_DATA / 8];  // what begins the record of its open
  __u8 path[RD_KEPT_PATH_BYTES];
};

// By the address of the struct file.
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, RD_OPEN_FILES_MAX);
  __type(key, __u64);
  __type(value, struct rd_open_file);
} open_files __weak SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, RD_SLOTS);
  __type(key, __u32);
  __type(value, struct rd_open_file);
} open_file_scratch __weak SEC(".maps");

struct rd_written_key {
  __u32 pid;
  int descriptor;
};

// The file that a process got with a descriptor. What is wrong or missing here is only found later.
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, RD_OPEN_FILES_MAX);
  __type(key, struct rd_written_key);
  __type(value, __u64);
} written_descriptors __weak SEC(".maps");

// How many followed files all processes have opened.
volatile __u32 followed_files __weak = 0;
// The host's clock less the time since boot; the reader keeps it right.
volatile __s64 wall_offset_ns __weak = 0;
// Set before loading: whether the reader can look over the files.
const volatile __u32 follows_files __weak = 0;

static __always_inline int rd_is_alive(struct file* file) {
  struct file___before_6_13* old = (void*)file;
  if (bpf_core_field_exists(file->f_ref)) return BPF_CORE_READ(file, f_ref.refcnt.counter) >= 0;
  return BPF_CORE_READ(old, f_count.counter) > 0;
}

static __always_inline int rd_is_still_open(struct file* file, __u64 inode) {
  return rd_is_alive(file) && (__u64)BPF_CORE_READ(file, f_inode) == inode &&
         BPF_CORE_READ(file, f_mode) & RD_FMODE_WRITE;
}

static __always_inline int rd_has_same_name(const struct rd_open_file* known) {
  struct dentry* dentry = (void*)known->dentry;
  return (__u64)BPF_CORE_READ(dentry, d_parent) == known->parent &&
         BPF_CORE_READ(dentry, d_name.hash_len) == known->name_hash;
}

// Whether the dentry, which may have been given to another, is still the file's.
static __always_inline int rd_still_names(const struct rd_open_file* known) {
  struct dentry* dentry = (void*)known->dentry;
  struct vfsmount* mount = (void*)known->mount;
  return (__u64)BPF_CORE_READ(dentry, d_inode) == known->inode &&
         (__u64)BPF_CORE_READ(mount, mnt_root) == known->mount_root;
}

// Its change time alone is another where it was renamed, linked or given other permissions; and where it was written
// into and its other time set back.
static __always_inline int rd_was_touched(const struct rd_open_file* known, const struct rd_file* opened,
                                          struct inode* inode) {
  if (rd_change_time(inode) == known->changed_ns) return 0;
  return BPF_CORE_READ(inode, i_mode) == opened->mode && BPF_CORE_READ(inode, i_uid.val) == opened->uid &&
         BPF_CORE_READ(inode, i_gid.val) == opened->gid && BPF_CORE_READ(inode, i_nlink) == known->links &&
         rd_has_same_name(known);
}

// Of a file that is gone nothing is known.
static __always_inline int rd_was_changed(const struct rd_open_file* known, __u32 closed) {
  const struct rd_file* opened = (void*)known->record;
  struct inode* inode = (void*)known->inode;
  if (closed != RD_CLOSING && (BPF_CORE_READ(inode, i_ino) != opened->inode || !BPF_CORE_READ(inode, i_nlink)))
    return 0;
  __u64 size = BPF_CORE_READ(inode, i_size);
  if (size != opened->size || rd_write_time(inode) != known->written_ns) return 1;
  if (opened->flags & RD_O_TRUNC && opened->action == RD_FILE_WRITE) return 1;
  return (known->is_certain && size) || rd_was_touched(known, opened, inode);
}

// The path, into the record in the scratch space; the end of it.
static __always_inline __u64 rd_put_kept_path(__u32 slot, struct rd_file* record, const struct rd_open_file* known,
                                              __u32 closed) {
  if (closed != RD_CLOSED_BEFORE && rd_still_names(known)) {
    return rd_put_path(slot, known->dentry, known->mount, RD_FILE_DATA, RD_FILE_DATA + RD_PATH_END);
  }
  __u64 bytes = known->path_bytes;
  if (bytes > RD_KEPT_PATH_BYTES) return RD_FILE_DATA;  // never; for the verifier
  bpf_probe_read_kernel(record->data, bytes, known->path);
  return RD_FILE_DATA + bytes;
}

static __always_inline __u64 rd_tell_change(__u32 slot, const struct rd_open_file* known, __u32 closed) {
  struct rd_file* record = rd_scratch_get(slot);
  if (!record) return 0;
  __builtin_memcpy(record, known->record, RD_FILE_DATA);
  record->head.time_ns = bpf_ktime_get_boot_ns();
  record->action = RD_FILE_CHANGE;
  rd_file_fill_inode(record, (struct inode*)known->inode);
  rd_file_forget_given(record);
  __u64 end = rd_put_kept_path(slot, record, known, closed);
  record->path_bytes = end - RD_FILE_DATA;
  if (end > RD_FILE_DATA) {
    rd_file_send(slot, record, end);
  } else {
    rd_count_unsent(RD_LANE_BULK, &record->head);
  }
  return 1;
}

// The file that was at `address` is closed (`closed` of rd_closed): it is forgotten, and told if it was changed. Only
// then what is known of it is copied.
RD_WALK __u64 rd_settle_file(__u32 slot, __u64 address, __u32 closed) {
  struct rd_open_file* known = bpf_map_lookup_elem(&open_files, &address);
  struct rd_open_file* kept = bpf_map_lookup_elem(&open_file_scratch, &slot);
  if (!known || !kept) return 0;
  __u32 pid = ((struct rd_file*)known->record)->head.actor.pid;
  int was_changed = rd_was_changed(known, closed);
  if (was_changed) bpf_probe_read_kernel(kept, sizeof(*kept), known);
  // Who deletes it tells it: the reader and the next open of the same place may come at the same time.
  if (bpf_map_delete_elem(&open_files, &address) != 0) return 0;
  __sync_fetch_and_add(rd_writers_of(pid), -1);
  __sync_fetch_and_add(&followed_files, -1);
  return was_changed ? rd_tell_change(slot, kept, closed) : 0;
}

static __always_inline void rd_keep_path(struct rd_open_file* known, const struct rd_file* record, __u64 bytes) {
  struct dentry* dentry = (void*)known->dentry;
  known->parent = (__u64)BPF_CORE_READ(dentry, d_parent);
  known->name_hash = BPF_CORE_READ(dentry, d_name.hash_len);
  known->path_bytes = 0;
  if (bytes > RD_KEPT_PATH_BYTES) return;
  known->path_bytes = bytes;
  bpf_probe_read_kernel(known->path, bytes, record->data);
}

static __always_inline int rd_is_followed(__u32 action) {
  return follows_files && action != RD_FILE_READ && !(actions_off >> RD_FILE_CHANGE & 1);
}

// Before the record of an open is filled in: what was in its place in memory is closed.
static __always_inline void rd_clear_place(__u32 slot, __u32 action, struct file* file) {
  if (rd_is_followed(action)) rd_settle_file(slot, rd_number(file), RD_CLOSED_BEFORE);
}

static __always_inline void rd_fill_open_file(struct rd_open_file* known, const struct rd_file* record,
                                              struct file* file) {
  struct inode* inode = BPF_CORE_READ(file, f_inode);
  known->inode = (__u64)inode;
  known->dentry = (__u64)BPF_CORE_READ(file, f_path.dentry);
  known->mount = (__u64)BPF_CORE_READ(file, f_path.mnt);
  known->mount_root = (__u64)BPF_CORE_READ(file, f_path.mnt, mnt_root);
  known->written_ns = rd_write_time(inode);
  known->changed_ns = rd_change_time(inode);
  known->links = BPF_CORE_READ(inode, i_nlink);
  known->is_certain = known->changed_ns > (__s64)record->head.time_ns + wall_offset_ns - RD_TICK_NS;
  __builtin_memcpy(known->record, record, RD_FILE_DATA);
  rd_keep_path(known, record, record->path_bytes);
}

// `record` is that of the open, with the path; `descriptor` is -1 where it is not known. What has no room is lost, and
// said to be.
static __always_inline void rd_follow_file(__u32 slot, struct rd_file* record, struct file* file, int descriptor) {
  struct rd_open_file* known = bpf_map_lookup_elem(&open_file_scratch, &slot);
  if (!known || !rd_is_followed(record->action)) return;
  rd_fill_open_file(known, record, file);
  __u64 address = rd_number(file);
  struct rd_written_key key = {.pid = record->head.actor.pid, .descriptor = descriptor};
  if (bpf_map_update_elem(&open_files, &address, known, BPF_ANY) != 0) {
    rd_count_unsent(RD_LANE_BULK, &record->head);
    return;
  }
  if (descriptor >= 0) bpf_map_update_elem(&written_descriptors, &key, &address, BPF_ANY);
  __sync_fetch_and_add(rd_writers_of(key.pid), 1);
  __sync_fetch_and_add(&followed_files, 1);
}

// The descriptor stands no longer for the file that it stood for, if that was a followed one.
static __always_inline void rd_settle_descriptor(const struct rd_written_key* key) {
  __u64* address = bpf_map_lookup_elem(&written_descriptors, key);
  struct rd_open_file* known = address ? bpf_map_lookup_elem(&open_files, address) : 0;
  if (known && !rd_is_still_open((struct file*)*address, known->inode)) {
    rd_settle_file(RD_SLOT_EVENT, *address, RD_CLOSED_NOW);
  }
}

// dup() and its kin: `to` is now a copy of `from`.
static __always_inline void rd_follow_copy(int from, int to) {
  struct rd_written_key key = {.pid = bpf_get_current_pid_tgid() >> 32, .descriptor = to};
  if (!*rd_writers_of(key.pid)) return;
  rd_settle_descriptor(&key);
  key.descriptor = from;
  __u64* address = bpf_map_lookup_elem(&written_descriptors, &key);
  if (!address) return;
  __u64 copied = *address;
  key.descriptor = to;
  bpf_map_update_elem(&written_descriptors, &key, &copied, BPF_ANY);
}
