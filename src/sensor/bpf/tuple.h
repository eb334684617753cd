// What a kernel socket is and which two ends it has. For programs of every tier: they come to the socket in their own
// way.
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "sensor/bpf/descriptor.h"
#include "sensor/bpf/kernel.h"
#include "sensor/network/network_record.h"

enum {
  RD_AF_INET = 2,
  RD_AF_INET6 = 10,
  RD_AF_PACKET = 17,
  RD_PROTOCOL_TCP = 6,
  RD_PROTOCOL_UDP = 17,
  RD_SOCK_RAW = 3,
};

static __always_inline int rd_is_v4_mapped(const __u32* words) {
  return words[0] == 0 && words[1] == 0 && words[2] == bpf_htonl(0xffff);
}

static __always_inline int rd_is_ip_family(__u16 family) { return family == RD_AF_INET || family == RD_AF_INET6; }

// Version, addresses and ports of a socket of the IP families. A listener has no remote end; one on all addresses of
// both versions is told as of version 6.
static __always_inline void rd_fill_tuple(struct rd_connection* record, struct sock* sock) {
  __u32 remote[4] = {};
  __u32 local[4] = {};
  record->version = RD_IPV4;
  if (BPF_CORE_READ(sock, __sk_common.skc_family) == RD_AF_INET6) {
    bpf_core_read(remote, sizeof(remote), &sock->__sk_common.skc_v6_daddr);
    bpf_core_read(local, sizeof(local), &sock->__sk_common.skc_v6_rcv_saddr);
    if (!rd_is_v4_mapped(remote) && !rd_is_v4_mapped(local)) record->version = RD_IPV6;
  }
  if (record->version == RD_IPV6) {
    __builtin_memcpy(record->remote, remote, sizeof(remote));
    __builtin_memcpy(record->local, local, sizeof(local));
  } else {
    bpf_core_read(record->remote, 4, &sock->__sk_common.skc_daddr);
    bpf_core_read(record->local, 4, &sock->__sk_common.skc_rcv_saddr);
  }
  // The socket's number is gone once it is closed; its inet_sport stays.
  struct inet_sock* inet = (void*)sock;
  record->local_port = bpf_ntohs(BPF_CORE_READ(inet, inet_sport));
  record->remote_port = bpf_ntohs(BPF_CORE_READ(sock, __sk_common.skc_dport));
  record->protocol = BPF_CORE_READ(sock, sk_protocol);
  record->has_remote = record->remote_port != 0;
}

// The socket of an open file; 0 if it is no socket.
static __always_inline struct socket* rd_socket_of_file(struct file* file) {
  if (!file || !rd_has_type(BPF_CORE_READ(file, f_inode), RD_S_IFSOCK)) return 0;
  return BPF_CORE_READ(file, private_data);
}

// Where it is one of TCP or UDP.
static __always_inline struct sock* rd_stream_or_datagram_of_file(struct file* file) {
  struct socket* socket = rd_socket_of_file(file);
  struct sock* sock = socket ? BPF_CORE_READ(socket, sk) : 0;
  if (!sock || !rd_is_ip_family(BPF_CORE_READ(sock, __sk_common.skc_family))) return 0;
  __u16 protocol = BPF_CORE_READ(sock, sk_protocol);
  return protocol == RD_PROTOCOL_TCP || protocol == RD_PROTOCOL_UDP ? sock : 0;
}

// Both behind a descriptor of the current task.
static __always_inline struct socket* rd_socket_of(int descriptor) { return rd_socket_of_file(rd_file_of(descriptor)); }

static __always_inline struct sock* rd_stream_or_datagram_of(int descriptor) {
  return rd_stream_or_datagram_of_file(rd_file_of(descriptor));
}
