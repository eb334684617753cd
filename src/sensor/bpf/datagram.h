// Reading packets of UDP and TCP where the socket layer hands them over. For cgroup_skb programs: byte 0 is that of the
// IP header.
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "sensor/bpf/tuple.h"
#include "sensor/network/network_record.h"

enum {
  RD_PASS = 1,  // what cgroup_skb programs return; these never refuse
  RD_IPV6_HEAD_BYTES = 40,
  RD_IPV6_EXTENSIONS_MAX = 6,
  RD_UDP_HEAD_BYTES = 8,
  RD_TCP_SYN = 2,
};

struct rd_udp_head {
  __be16 from_port;
  __be16 to_port;
};

struct rd_tcp_head {
  __be16 from_port;
  __be16 to_port;
  __be32 sequence;
  __be32 acknowledged;
  __u8 words;  // of the head, in the upper half
  __u8 flags;
};

// What a segment of TCP carries.
struct rd_segment {
  __u32 at;
  __u32 bytes;
  __u32 sequence;  // of the first of them
};

static __always_inline struct bpf_sock* rd_socket_of_packet(struct __sk_buff* skb) {
  struct bpf_sock* sock = skb->sk;
  return sock ? bpf_sk_fullsock(sock) : 0;
}

// The socket of a packet of UDP; 0 if it is of something else.
static __always_inline struct bpf_sock* rd_udp_socket_of(struct __sk_buff* skb) {
  struct bpf_sock* sock = rd_socket_of_packet(skb);
  return sock && sock->protocol == RD_PROTOCOL_UDP ? sock : 0;
}

// In network order; 0 if the socket has no fixed peer. Linux before 5.18 lets the field be read by 32 bits only.
static __always_inline __u32 rd_remote_port_of(struct bpf_sock* sock) {
  return *(volatile __u32*)((__u8*)sock + __builtin_offsetof(struct bpf_sock, dst_port));
}

// RD_IPV4, RD_IPV6, or what it is not.
static __always_inline __u8 rd_version_of(struct __sk_buff* skb) {
  __u8 first = 0;
  bpf_skb_load_bytes(skb, 0, &first, sizeof(first));
  return first >> 4;
}

// Which IPv6 headers may stand between the first and the datagram's own.
static __always_inline int rd_is_ipv6_extension(__u8 next) {
  return next == 0 /* hop by hop */ || next == 43 /* routing */ || next == 60 /* destination */;
}

// Byte at which the header of the protocol begins; 0 if there is none.
static __always_inline __u32 rd_find_transport(struct __sk_buff* skb, __u8 version, __u8 wanted) {
  if (version == RD_IPV4) {
    __u8 first = 0;
    __u8 protocol = 0;
    if (bpf_skb_load_bytes(skb, 0, &first, 1) != 0 || bpf_skb_load_bytes(skb, 9, &protocol, 1) != 0) return 0;
    return protocol == wanted ? (first & 0xf) * 4 : 0;
  }
  if (version != RD_IPV6) return 0;
  __u8 next = 0;
  __u32 at = RD_IPV6_HEAD_BYTES;
  if (bpf_skb_load_bytes(skb, 6, &next, 1) != 0) return 0;
  for (int i = 0; i < RD_IPV6_EXTENSIONS_MAX && rd_is_ipv6_extension(next); i++) {
    __u8 head[2] = {};
    if (bpf_skb_load_bytes(skb, at, head, sizeof(head)) != 0) return 0;
    next = head[0];
    at += (head[1] + 1) * 8;
  }
  return next == wanted ? at : 0;
}

static __always_inline __u32 rd_find_udp(struct __sk_buff* skb, __u8 version) {
  return rd_find_transport(skb, version, RD_PROTOCOL_UDP);
}

// Without bytes where it carries nothing.
static __always_inline struct rd_segment rd_segment_of(struct __sk_buff* skb, __u8 version) {
  struct rd_segment segment = {};
  struct rd_tcp_head head = {};
  __u32 tcp_at = rd_find_transport(skb, version, RD_PROTOCOL_TCP);
  if (tcp_at == 0 || bpf_skb_load_bytes(skb, tcp_at, &head, sizeof(head)) != 0) return segment;
  segment.at = tcp_at + (head.words >> 4) * 4;
  segment.bytes = skb->len > segment.at ? skb->len - segment.at : 0;
  segment.sequence = bpf_ntohl(head.sequence) + (head.flags & RD_TCP_SYN ? 1 : 0);
  return segment;
}

// Addresses are RD_ADDRESS_BYTES, zeroed before.
static __always_inline int rd_load_from(struct __sk_buff* skb, __u8 version, __u8* address) {
  if (version == RD_IPV4) return bpf_skb_load_bytes(skb, 12, address, 4);
  return bpf_skb_load_bytes(skb, 8, address, 16);
}
static __always_inline int rd_load_to(struct __sk_buff* skb, __u8 version, __u8* address) {
  if (version == RD_IPV4) return bpf_skb_load_bytes(skb, 16, address, 4);
  return bpf_skb_load_bytes(skb, 24, address, 16);
}

static __always_inline __u32 rd_payload_bytes(struct __sk_buff* skb, __u32 udp_at) {
  __u32 payload_at = udp_at + RD_UDP_HEAD_BYTES;
  return skb->len > payload_at ? skb->len - payload_at : 0;
}
