// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// TCP connections, once each. Outbound: told when the attempt succeeds, fails, or connect() returns, whichever is
// first. Inbound: when accept() returns. The tuple is the socket's own, never the caller's memory.
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "sensor/bpf/actor.h"
#include "sensor/bpf/arch.h"
#include "sensor/bpf/descriptor.h"
#include "sensor/bpf/kernel.h"
#include "sensor/bpf/lanes.h"
#include "sensor/network/network_record.h"

// For layout_test.cc: brings the types into the BTF.
const struct rd_connection* rd_layout_connection __attribute__((unused));

char rd_license[] __weak SEC("license") = "Dual BSD/GPL";

enum { RD_TCP_SYN_SENT = 2, RD_PROTOCOL_TCP = 6, RD_AF_INET = 2, RD_AF_INET6 = 10, RD_CONNECTING_MAX = 16384 };

// Call numbers inside socketcall().
enum { RD_SYS_ACCEPT = 5, RD_SYS_ACCEPT4 = 18 };

// Attempts under way: socket → who. Every socket leaves SYN_SENT, so entries do not pile up.
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, RD_CONNECTING_MAX);
  __type(key, __u64);
  __type(value, struct rd_actor);
} connecting SEC(".maps");

static __always_inline int is_v4_mapped(const __u32* words) {
  return words[0] == 0 && words[1] == 0 && words[2] == bpf_htonl(0xffff);
}

static __always_inline void fill_tuple(struct rd_connection* record, struct sock* sock) {
  __u32 remote[4] = {};
  record->version = RD_IPV4;
  if (BPF_CORE_READ(sock, __sk_common.skc_family) == RD_AF_INET6) {
    bpf_core_read(remote, sizeof(remote), &sock->__sk_common.skc_v6_daddr);
    if (!is_v4_mapped(remote)) record->version = RD_IPV6;
  }
  if (record->version == RD_IPV6) {
    __builtin_memcpy(record->remote, remote, sizeof(remote));
    bpf_core_read(record->local, RD_ADDRESS_BYTES, &sock->__sk_common.skc_v6_rcv_saddr);
  } else {
    bpf_core_read(record->remote, 4, &sock->__sk_common.skc_daddr);
    bpf_core_read(record->local, 4, &sock->__sk_common.skc_rcv_saddr);
  }
  // The socket's number is gone once it is closed; its inet_sport stays.
  struct inet_sock* inet = (void*)sock;
  record->local_port = bpf_ntohs(BPF_CORE_READ(inet, inet_sport));
  record->remote_port = bpf_ntohs(BPF_CORE_READ(sock, __sk_common.skc_dport));
}

static __always_inline void tell(struct sock* sock, __u8 direction, const struct rd_actor* actor) {
  struct rd_connection record = {};
  record.head.kind = RD_CONNECTION;
  record.head.time_ns = bpf_ktime_get_boot_ns();
  record.head.actor = *actor;
  record.direction = direction;
  fill_tuple(&record, sock);
  rd_send(&ring_bulk, RD_LANE_BULK, &record.head, sizeof(record));
}

static __always_inline int is_tcp(struct sock* sock) {
  __u16 family = BPF_CORE_READ(sock, __sk_common.skc_family);
  return BPF_CORE_READ(sock, sk_protocol) == RD_PROTOCOL_TCP && (family == RD_AF_INET || family == RD_AF_INET6);
}

static __always_inline void tell_connecting(struct sock* sock) {
  __u64 key = (__u64)sock;
  struct rd_actor* actor = bpf_map_lookup_elem(&connecting, &key);
  if (!actor) return;
  struct rd_actor copy = *actor;
  if (bpf_map_delete_elem(&connecting, &key) == 0) tell(sock, RD_OUTBOUND, &copy);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(network_state, struct sock* sock, int before, int after) {
  if (before != RD_TCP_SYN_SENT && after != RD_TCP_SYN_SENT) return 0;
  if (!is_tcp(sock)) return 0;
  if (before == RD_TCP_SYN_SENT) {  // answered, refused or given up, often not in the caller's context
    tell_connecting(sock);
    return 0;
  }
  if (rd_is_quiet(bpf_get_current_pid_tgid() >> 32)) return 0;
  struct rd_actor actor = {};
  rd_fill_actor(&actor, (struct task_struct*)bpf_get_current_task());
  __u64 key = (__u64)sock;
  // Without room the attempt is told at once; the local port is not chosen yet.
  if (bpf_map_update_elem(&connecting, &key, &actor, BPF_ANY) != 0) tell(sock, RD_OUTBOUND, &actor);
  return 0;
}

static __always_inline struct sock* tcp_sock_of(int descriptor) {
  struct file* file = rd_file_of(descriptor);
  if (!file || !rd_has_type(BPF_CORE_READ(file, f_inode), RD_S_IFSOCK)) return 0;
  struct socket* socket = BPF_CORE_READ(file, private_data);
  struct sock* sock = BPF_CORE_READ(socket, sk);
  return sock && is_tcp(sock) ? sock : 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(network_connect, struct pt_regs* regs, long result) {
  struct sock* sock = tcp_sock_of(rd_syscall_argument(regs, 0));
  if (sock) tell_connecting(sock);
  return 0;
}

static __always_inline int tell_accepted(long result) {
  struct sock* sock = tcp_sock_of(result);
  if (!sock || rd_is_quiet(bpf_get_current_pid_tgid() >> 32)) return 0;
  struct rd_actor actor = {};
  rd_fill_actor(&actor, (struct task_struct*)bpf_get_current_task());
  tell(sock, RD_INBOUND, &actor);
  return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(network_accept, struct pt_regs* regs, long result) { return tell_accepted(result); }

// i386 only: one call for all, its real arguments in memory; the result is all that is needed.
SEC("tp_btf/sys_exit")
int BPF_PROG(network_socketcall, struct pt_regs* regs, long result) {
  __u64 call = rd_syscall_argument(regs, 0);
  return call == RD_SYS_ACCEPT || call == RD_SYS_ACCEPT4 ? tell_accepted(result) : 0;
}
