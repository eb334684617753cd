// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Sockets, by what is done with them. Outbound TCP is told once, when its outcome is known: at the change of state or
// when connect() returns, whichever is first; what is still open after a while the reader tells (connecting.h). All
// else is told when its call returns. The tuple is the socket's own; only of an attempt that the kernel refuses before
// there is one is the address what the caller gave.
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "sensor/bpf/actor.h"
#include "sensor/bpf/address_filter.h"
#include "sensor/bpf/arch.h"
#include "sensor/bpf/kernel.h"
#include "sensor/bpf/lanes.h"
#include "sensor/bpf/owner.h"
#include "sensor/bpf/tuple.h"
#include "sensor/network/network_record.h"

// For layout_test.cc: brings the types into the BTF.
const struct rd_connection* rd_layout_connection __attribute__((unused));
const struct rd_socket* rd_layout_socket __attribute__((unused));

char rd_license[] __weak SEC("license") = "Dual BSD/GPL";

enum {
  RD_TCP_CLOSE = 7,
  RD_TCP_SYN_SENT = 2,
  RD_CONNECTING_MAX = 8192,
  RD_ATTEMPTS_MAX = 1024,
  RD_SOCK_BINDPORT_LOCK = 8,  // the port was asked for
  RD_STANDARD_DESCRIPTORS = 3,
};

enum {
  RD_EPERM = 1,
  RD_EACCES = 13,
  RD_EADDRNOTAVAIL = 99,
  RD_ENETDOWN = 100,
  RD_ENETUNREACH = 101,
  RD_ECONNABORTED = 103,
  RD_EHOSTUNREACH = 113,
  RD_EINPROGRESS = 115,
};

// Attempts under way: socket → what will be told. Every socket leaves SYN_SENT, so entries do not pile up. Who takes an
// entry out tells it.
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, RD_CONNECTING_MAX);
  __type(key, __u64);
  __type(value, struct rd_connection);
} connecting SEC(".maps");

// Thread → the socket that it brought into SYN_SENT: its connect() failed behind that, or before.
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, RD_ATTEMPTS_MAX);
  __type(key, __u64);
  __type(value, __u64);
} attempts SEC(".maps");

static __always_inline int is_quiet_here(void) { return rd_is_quiet(bpf_get_current_pid_tgid() >> 32); }

static __always_inline void begin(struct rd_connection* record, __u8 action) {
  rd_fill_head(&record->head, RD_CONNECTION, (struct task_struct*)bpf_get_current_task());
  record->action = action;
  record->descriptor = RD_NO_DESCRIPTOR;
}

static __always_inline void send_connection(struct rd_connection* record) {
  if (rd_is_excluded_connection(record)) return;
  rd_send(&ring_bulk, RD_LANE_BULK, &record->head, sizeof(*record));
}

static __always_inline int is_tcp(struct sock* sock) {
  return BPF_CORE_READ(sock, sk_protocol) == RD_PROTOCOL_TCP &&
         rd_is_ip_family(BPF_CORE_READ(sock, __sk_common.skc_family));
}

static __always_inline void tell_connecting(struct sock* sock, int result) {
  __u64 key = (__u64)sock;
  struct rd_connection* kept = bpf_map_lookup_elem(&connecting, &key);
  if (!kept) return;
  struct rd_connection record = *kept;
  if (bpf_map_delete_elem(&connecting, &key) != 0) return;
  rd_fill_tuple(&record, sock);
  record.result = result;
  send_connection(&record);
}

static __always_inline void begin_connecting(struct sock* sock) {
  struct rd_connection record = {};
  begin(&record, RD_CONNECT);
  rd_fill_tuple(&record, sock);
  record.result = -RD_EINPROGRESS;
  __u64 key = (__u64)sock;
  __u64 thread = bpf_get_current_pid_tgid();
  bpf_map_update_elem(&attempts, &thread, &key, BPF_ANY);
  // Without room the attempt is told at once; the local port is not chosen yet.
  if (bpf_map_update_elem(&connecting, &key, &record, BPF_ANY) != 0) send_connection(&record);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(network_state, struct sock* sock, int before, int after) {
  if (before != RD_TCP_SYN_SENT && after != RD_TCP_SYN_SENT) return 0;
  if (!is_tcp(sock)) return 0;
  if (after == RD_TCP_SYN_SENT) {
    if (!is_quiet_here()) begin_connecting(sock);
    return 0;
  }
  // Answered, refused or given up, often not in the caller's context. A socket that is closed before has no error.
  int error = after == RD_TCP_CLOSE ? BPF_CORE_READ(sock, sk_err) : 0;
  if (after == RD_TCP_CLOSE && error == 0) error = RD_ECONNABORTED;
  tell_connecting(sock, -error);
  return 0;
}

// Errors that the kernel gives before it tries, and that a second connect() does not repeat.
static __always_inline int is_refused_here(long result) {
  return result == -RD_EPERM || result == -RD_EACCES || result == -RD_EADDRNOTAVAIL || result == -RD_ENETDOWN ||
         result == -RD_ENETUNREACH || result == -RD_EHOSTUNREACH;
}

struct given_address {
  __u16 family;
  __be16 port;
  __u32 words[6];  // version 4: the first; version 6: flow label, then the address
};

static __always_inline void tell_refused(struct sock* sock, __u64 address, long result) {
  struct given_address given = {};
  // The address of version 4 is 16 bytes long, so that the rest may not be readable.
  if (bpf_probe_read_user(&given, 16, (void*)address) != 0 || !rd_is_ip_family(given.family)) return;
  if (given.family == RD_AF_INET6 && bpf_probe_read_user(&given, sizeof(given), (void*)address) != 0) return;
  struct rd_connection record = {};
  begin(&record, RD_CONNECT);
  record.protocol = BPF_CORE_READ(sock, sk_protocol);
  record.version = given.family == RD_AF_INET6 && !rd_is_v4_mapped(&given.words[1]) ? RD_IPV6 : RD_IPV4;
  record.has_remote = 1;
  record.remote_port = bpf_ntohs(given.port);
  if (record.version == RD_IPV6) {
    __builtin_memcpy(record.remote, &given.words[1], sizeof(record.remote));
  } else {
    __builtin_memcpy(record.remote, given.family == RD_AF_INET6 ? &given.words[4] : &given.words[0], 4);
  }
  record.result = result;
  send_connection(&record);
}

static __always_inline int after_connect(int descriptor, __u64 address, long result) {
  struct sock* sock = rd_stream_or_datagram_of(descriptor);
  if (!sock || BPF_CORE_READ(sock, sk_protocol) != RD_PROTOCOL_TCP) return 0;
  __u64 thread = bpf_get_current_pid_tgid();
  __u64* attempt = bpf_map_lookup_elem(&attempts, &thread);
  int has_begun = attempt && *attempt == (__u64)sock;
  if (attempt) bpf_map_delete_elem(&attempts, &thread);
  if (!has_begun) {
    if (is_refused_here(result) && !is_quiet_here()) tell_refused(sock, address, result);
    return 0;
  }
  if (result != -RD_EINPROGRESS) {
    tell_connecting(sock, result);
    return 0;
  }
  __u64 key = (__u64)sock;
  struct rd_connection* kept = bpf_map_lookup_elem(&connecting, &key);
  if (kept) rd_fill_tuple(kept, sock);  // by now it has a local port
  return 0;
}

static __always_inline int after_call(int descriptor, __u8 action, long result) {
  struct sock* sock = rd_stream_or_datagram_of(descriptor);
  if (!sock || is_quiet_here()) return 0;
  struct rd_connection record = {};
  begin(&record, action);
  record.descriptor = descriptor;
  rd_fill_tuple(&record, sock);
  send_connection(&record);
  return 0;
}

static __always_inline int after_accept(long result) { return result < 0 ? 0 : after_call(result, RD_ACCEPT, result); }

static __always_inline int after_listen(int descriptor, long result) {
  return result != 0 ? 0 : after_call(descriptor, RD_LISTEN, result);
}

// A datagram socket on a port of the program's choice; TCP is told when it listens.
static __always_inline int after_bind(int descriptor, long result) {
  if (result != 0) return 0;
  struct sock* sock = rd_stream_or_datagram_of(descriptor);
  if (!sock || BPF_CORE_READ(sock, sk_protocol) != RD_PROTOCOL_UDP || is_quiet_here()) return 0;
  __u64 key = (__u64)sock;
  struct rd_actor actor = {};
  rd_fill_actor(&actor, (struct task_struct*)bpf_get_current_task());
  bpf_map_update_elem(&owners, &key, &actor, BPF_ANY);
  if ((BPF_CORE_READ_BITFIELD_PROBED(sock, sk_userlocks) & RD_SOCK_BINDPORT_LOCK) == 0) return 0;
  return after_call(descriptor, RD_LISTEN, result);
}

static __always_inline int after_socket(long result) {
  struct socket* socket = result < 0 ? 0 : rd_socket_of(result);
  if (!socket) return 0;
  struct sock* sock = BPF_CORE_READ(socket, sk);
  __u16 family = BPF_CORE_READ(sock, __sk_common.skc_family);
  __u16 type = BPF_CORE_READ(socket, type);
  if (family != RD_AF_PACKET && !(type == RD_SOCK_RAW && rd_is_ip_family(family))) return 0;
  if (is_quiet_here()) return 0;
  struct rd_socket record = {.family = family, .type = type, .descriptor = result};
  rd_fill_head(&record.head, RD_SOCKET, (struct task_struct*)bpf_get_current_task());
  struct packet_sock* packet = (void*)sock;
  record.protocol = family == RD_AF_PACKET ? bpf_ntohs(BPF_CORE_READ(packet, num)) : BPF_CORE_READ(sock, sk_protocol);
  rd_send(&ring_bulk, RD_LANE_BULK, &record.head, sizeof(record));
  return 0;
}

static __always_inline int after_dup(long result) {
  return result < 0 || result >= RD_STANDARD_DESCRIPTORS ? 0 : after_call(result, RD_DUP, result);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(network_connect, struct pt_regs* regs, long result) {
  return after_connect(rd_syscall_argument(regs, 0), rd_syscall_argument(regs, 1), result);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(network_accept, struct pt_regs* regs, long result) { return after_accept(result); }

SEC("tp_btf/sys_exit")
int BPF_PROG(network_listen, struct pt_regs* regs, long result) {
  return after_listen(rd_syscall_argument(regs, 0), result);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(network_bind, struct pt_regs* regs, long result) {
  return after_bind(rd_syscall_argument(regs, 0), result);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(network_socket, struct pt_regs* regs, long result) { return after_socket(result); }

SEC("tp_btf/sys_exit")
int BPF_PROG(network_dup, struct pt_regs* regs, long result) { return after_dup(result); }

enum { RD_F_DUPFD = 0, RD_F_DUPFD_CLOEXEC = 1030 };

SEC("tp_btf/sys_exit")
int BPF_PROG(network_fcntl, struct pt_regs* regs, long result) {
  __u32 command = rd_syscall_argument(regs, 1);
  return command == RD_F_DUPFD || command == RD_F_DUPFD_CLOEXEC ? after_dup(result) : 0;
}

// Call numbers inside socketcall().
enum {
  RD_CALL_SOCKET = 1,
  RD_CALL_BIND = 2,
  RD_CALL_CONNECT = 3,
  RD_CALL_LISTEN = 4,
  RD_CALL_ACCEPT = 5,
  RD_CALL_ACCEPT4 = 18,
};

// i386 only: one call for all, its real arguments in memory. Another thread may have changed them since; then the event
// is about another of the program's own sockets.
SEC("tp_btf/sys_exit")
int BPF_PROG(network_socketcall, struct pt_regs* regs, long result) {
  __u32 call = rd_syscall_argument(regs, 0);
  if (call == RD_CALL_SOCKET) return after_socket(result);
  if (call == RD_CALL_ACCEPT || call == RD_CALL_ACCEPT4) return after_accept(result);
  __u32 arguments[2] = {};
  if (bpf_probe_read_user(arguments, sizeof(arguments), (void*)rd_syscall_argument(regs, 1)) != 0) return 0;
  if (call == RD_CALL_BIND) return after_bind(arguments[0], result);
  if (call == RD_CALL_LISTEN) return after_listen(arguments[0], result);
  return call == RD_CALL_CONNECT ? after_connect(arguments[0], arguments[1], result) : 0;
}
