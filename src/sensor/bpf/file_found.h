// A file record of what the security hook of a call found (resolved.h).
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "sensor/bpf/file_fill.h"
#include "sensor/bpf/resolved.h"

static __always_inline int rd_file_is_attribute(__u32 action) {
  return action == RD_FILE_PERMISSION || action == RD_FILE_OWNER || action == RD_FILE_TRUNCATE;
}

// The file: as it was before names changed, as it is after its attributes did.
static __always_inline void rd_file_fill_found(struct rd_file* record, const struct rd_resolved* found) {
  if (!found->inode) return;  // what the call asked for is all that is known
  __u32 uid = record->uid;
  __u32 gid = record->gid;
  struct inode* inode = (void*)found->inode_address;
  if (rd_file_is_attribute(found->action) && BPF_CORE_READ(inode, i_ino) == found->inode) {
    rd_file_fill_inode(record, inode);
  } else {
    record->inode = found->inode;
    record->size = found->size;
    record->mode = found->mode;
    record->uid = found->uid;
    record->gid = found->gid;
  }
  if (found->action == RD_FILE_OWNER) {  // an id of -1 leaves it, and the event says so by its absence
    record->uid = uid;
    record->gid = gid;
  }
}

// Its path, as the first part; the end of it.
static __always_inline __u64 rd_file_put_found(struct rd_file* record, const struct rd_resolved* found) {
  __u64 bytes = found->path_bytes;
  if (bytes > RD_RESOLVED_PATH_MAX) return RD_FILE_DATA;  // never; for the verifier
  bpf_probe_read_kernel(record->data, bytes, found->data);
  record->path_bytes = bytes;
  return RD_FILE_DATA + bytes;
}

// The second path behind all else, or the text of a symbolic link unless the caller's is there. The new end.
static __always_inline __u64 rd_file_put_found_to(struct rd_file* record, const struct rd_resolved* found, __u64 at) {
  __u64 begin = found->path_bytes;
  __u64 bytes = found->to_path_bytes;
  if (at > sizeof(*record) - RD_RESOLVED_PATH_MAX || bytes > RD_RESOLVED_PATH_MAX) return at;
  if (bytes == 0 || begin > RD_RESOLVED_PATH_MAX) return at;
  if (found->action == RD_FILE_SYMLINK && record->to_given_bytes != 0) return at;
  bpf_probe_read_kernel((__u8*)record + at, bytes, found->data + begin);
  if (found->action == RD_FILE_SYMLINK) {
    record->to_given_bytes = bytes;
  } else {
    record->to_path_bytes = bytes;
  }
  return at + bytes;
}
