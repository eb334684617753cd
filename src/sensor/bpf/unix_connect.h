// Connections to sockets that have a path: told as what is done with that file, once they are there or were denied.
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "sensor/bpf/errors.h"
#include "sensor/bpf/file_fill.h"
#include "sensor/bpf/tuple.h"

enum { RD_AF_UNIX = 1, RD_UNIX_PATH = 2 };  // where the path begins in an address

// Whether a connect() that came to `result` is told, if it was on a socket of that family.
static __always_inline int rd_is_told_unix(struct socket* socket, long result) {
  if (!socket || (result != 0 && result != -RD_EACCES) || actions_off >> RD_FILE_CONNECT & 1) return 0;
  return BPF_CORE_READ(socket, sk, __sk_common.skc_family) == RD_AF_UNIX;
}

// Of the socket at the other end, as it was bound; 0 where it has none.
static __always_inline struct path* rd_unix_path_of(struct socket* socket) {
  struct unix_sock* own = (void*)BPF_CORE_READ(socket, sk);
  struct unix_sock* peer = own ? (void*)BPF_CORE_READ(own, peer) : 0;
  return peer && BPF_CORE_READ(peer, path.dentry) ? &peer->path : 0;
}

static __always_inline int rd_is_excluded_path(__u32 slot, struct path* path) {
  __u32 policy = policy_now;
  return rd_policy_has(policy, RD_PATH_EXCLUDED) && rd_flags_of_path(slot, path, policy) & RD_PATH_EXCLUDED;
}

// `record` is begun.
static __always_inline int rd_send_unix(__u32 slot, struct rd_file* record, struct path* path) {
  rd_file_fill_inode(record, BPF_CORE_READ(path, dentry, d_inode));
  __u64 end = rd_file_put_path(slot, path, RD_FILE_DATA, RD_PATH_END);
  record->path_bytes = end - RD_FILE_DATA;
  return rd_file_send(slot, record, end);
}
