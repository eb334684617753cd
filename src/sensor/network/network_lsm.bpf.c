// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Sockets in the lsm tier: attempts to connect where the kernel makes them, by the address that it uses, whether by a
// system call or through io_uring; and what else is done with sockets through io_uring, whose descriptors are not told.
#include "sensor/bpf/function.h"

#include "sensor/bpf/claim.h"
#include "sensor/bpf/connect.h"
#include "sensor/bpf/kernel_hooks.h"
#include "sensor/bpf/peers.h"
#include "sensor/bpf/socket_call.h"
#include "sensor/bpf/unix_connect.h"

char rd_license[] __weak SEC("license") = "Dual BSD/GPL";

enum { RD_ACCEPTING_MAX = 4096 };

// Threads that carry out a request to accept.
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, RD_ACCEPTING_MAX);
  __type(key, __u64);
  __type(value, __u8);
} accepting SEC(".maps");

// The address as connect() has it.
struct given {
  __u64 address;
  int bytes;
};

static __always_inline void tell_unix_in(__u32 slot, struct socket* socket, const struct given* given, int result) {
  struct path* path = result == 0 ? rd_unix_path_of(socket) : 0;
  if (path && rd_is_excluded_path(slot, path)) return;
  struct rd_unix_name name = {};
  if (!path) {
    name = result == 0 ? rd_unix_name_of(socket) : rd_unix_name_in(given->address, given->bytes, RD_ADDRESS_IN_KERNEL);
  }
  if ((result == 0 && !path && !name.at) || rd_file_is_silent(slot)) return;
  struct rd_file* record = rd_file_begin_in(slot, RD_FILE_CONNECT);
  if (!record) return;
  record->error = -result;
  if (path) {
    rd_send_unix(slot, record, path);
    return;
  }
  if (name.at) {
    rd_send_unix_name(slot, record, &name);
    return;
  }
  __u64 end = rd_file_put_given_in(slot, RD_FILE_DATA, RD_AT_FDCWD, given->address + RD_UNIX_PATH, RD_GIVEN_IN_KERNEL);
  if (end) rd_file_send(slot, record, end);
}

static __always_inline int tell_unix(struct socket* socket, const struct given* given, int result) {
  __u32 slot = rd_slot_claim();
  if (slot >= RD_SLOTS) return rd_file_count_unsent();
  tell_unix_in(slot, socket, given, result);
  rd_slot_release(slot);
  return 0;
}

// A function of its own: the walks of paths that Unix sockets need leave no stack for it.
static __noinline int after_connect(__u64 sock, __u64 address, int result) {
  return rd_after_connect((struct sock*)sock, address, RD_ADDRESS_IN_KERNEL, result);
}

// Without a slot the first datagram tells it.
static __always_inline int tell_peer(struct sock* sock) {
  __u32 slot = rd_slot_claim();
  if (slot >= RD_SLOTS) return 0;
  rd_tell_peer(slot, (__u64)sock);
  rd_slot_release(slot);
  return 0;
}

SEC("fexit/__sys_connect_file")
int BPF_PROG(network_connected, struct file* file, void* address, int address_bytes, int flags, int result) {
  struct socket* socket = rd_socket_of_file(file);
  struct given given = {.address = rd_number(address), .bytes = address_bytes};
  if (rd_is_told_unix(socket, result)) return tell_unix(socket, &given, result);
  struct sock* sock = rd_stream_or_datagram_of_file(file);
  if (rd_is_given_peer(sock, result)) return tell_peer(sock);
  return after_connect((__u64)sock, given.address, result);
}

SEC("fentry/io_accept")
int BPF_PROG(network_request_accept, struct io_kiocb* request) {
  __u64 thread = bpf_get_current_pid_tgid();
  __u8 mark = 1;
  bpf_map_update_elem(&accepting, &thread, &mark, BPF_ANY);
  return 0;
}

SEC("fexit/io_accept")
int BPF_PROG(network_request_accepted, struct io_kiocb* request) {
  __u64 thread = bpf_get_current_pid_tgid();
  bpf_map_delete_elem(&accepting, &thread);
  return 0;
}

// One request may accept many.
SEC("fexit/do_accept")
int BPF_PROG(network_accepted, struct file* file, void* argument, void* address, int* address_bytes, int flags,
             struct file* accepted) {
  __u64 thread = bpf_get_current_pid_tgid();
  if (rd_is_error(accepted) || !bpf_map_lookup_elem(&accepting, &thread)) return 0;
  return rd_tell_socket_call(rd_stream_or_datagram_of_file(accepted), RD_NO_DESCRIPTOR, RD_ACCEPT);
}

// Only io_uring comes here.
SEC("fexit/__sys_socket_file")
int BPF_PROG(network_made, int family, int type, int protocol, struct file* made) {
  return rd_is_error(made) ? 0 : rd_tell_made(rd_socket_of_file(made), RD_NO_DESCRIPTOR);
}

SEC("fexit/io_listen")
int BPF_PROG(network_request_listen, struct io_kiocb* request, unsigned int flags, int result) {
  if (result != 0 || BPF_CORE_READ(request, cqe.res) != 0) return 0;
  struct sock* sock = rd_stream_or_datagram_of_file(BPF_CORE_READ(request, file));
  return rd_tell_socket_call(sock, RD_NO_DESCRIPTOR, RD_LISTEN);
}

SEC("fexit/io_bind")
int BPF_PROG(network_request_bind, struct io_kiocb* request, unsigned int flags, int result) {
  if (result != 0 || BPF_CORE_READ(request, cqe.res) != 0) return 0;
  return rd_tell_bound(rd_stream_or_datagram_of_file(BPF_CORE_READ(request, file)), RD_NO_DESCRIPTOR);
}
