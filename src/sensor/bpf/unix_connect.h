// Connections to Unix sockets, once they are there or were denied: told as what is done with the file that the socket
// is bound to, or by its name where it has no file.
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "sensor/bpf/address.h"
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

// A name, without the zero that it begins with.
struct rd_unix_name {
  __u64 at;  // 0: there is none
  __u64 bytes;
  enum rd_address_in in;
};

// Of an address of so many bytes that begins at `address`.
static __always_inline struct rd_unix_name rd_unix_name_in(__u64 address, int bytes, enum rd_address_in in) {
  struct rd_unix_name name = {.in = in};
  char first = 1;
  if (bytes <= RD_UNIX_PATH || rd_read_address(&first, sizeof(first), address + RD_UNIX_PATH, in) != 0 || first != 0) {
    return name;
  }
  name.at = address + RD_UNIX_PATH + 1;
  name.bytes = bytes - RD_UNIX_PATH - 1;
  return name;
}

// Of the socket at the other end.
static __always_inline struct rd_unix_name rd_unix_name_of(struct socket* socket) {
  struct unix_sock* own = (void*)BPF_CORE_READ(socket, sk);
  struct unix_sock* peer = own ? (void*)BPF_CORE_READ(own, peer) : 0;
  struct unix_address* address = peer ? BPF_CORE_READ(peer, addr) : 0;
  if (!address) return (struct rd_unix_name){};
  return rd_unix_name_in((__u64)address + bpf_core_field_offset(struct unix_address, name), BPF_CORE_READ(address, len),
                         RD_ADDRESS_IN_KERNEL);
}

static __always_inline int rd_is_excluded_path(__u32 slot, struct path* path) {
  __u32 policy = policy_now;
  return rd_policy_has(policy, RD_PATH_EXCLUDED) && rd_flags_of_path(slot, path, policy) & RD_PATH_EXCLUDED &&
         rd_count_excluded(RD_FILE);
}

// `record` is begun.
static __always_inline int rd_send_unix(__u32 slot, struct rd_file* record, struct path* path) {
  rd_file_fill_inode(record, BPF_CORE_READ(path, dentry, d_inode));
  __u64 end = rd_file_put_path(slot, path, RD_FILE_DATA, RD_PATH_END);
  record->path_bytes = end - RD_FILE_DATA;
  return rd_file_send(slot, record, end);
}

// The same for a name.
static __always_inline int rd_send_unix_name(__u32 slot, struct rd_file* record, const struct rd_unix_name* name) {
  __u64 bytes = name->bytes;
  if (bytes > RD_UNIX_NAME_BYTES) bytes = RD_UNIX_NAME_BYTES;
  barrier_var(bytes);
  if (bytes > RD_UNIX_NAME_BYTES) return 0;  // never; for the verifier
  if (bytes > 0 && rd_read_address(record->data, bytes, name->at, name->in) != 0) return 0;
  record->flags = RD_UNIX_NAME;
  record->mode = RD_S_IFSOCK;
  record->given_bytes = bytes;
  return rd_file_send(slot, record, RD_FILE_DATA + bytes);
}
