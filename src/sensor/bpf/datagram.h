// Reading packets of UDP where the socket layer hands them over. For cgroup_skb programs: byte 0 is that of the IP
// header.
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
};

struct rd_udp_head {
  __be16 from_port;
  __be16 to_port;
};

// The socket of a packet of UDP; 0 if it is of something else.
static __always_inline struct bpf_sock* rd_udp_socket_of(struct __sk_buff* skb) {
  struct bpf_sock* sock = skb->sk;
  if (!sock) return 0;
  sock = bpf_sk_fullsock(sock);
  return sock && sock->protocol == RD_PROTOCOL_UDP ? sock : 0;
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

// Byte at which the header of UDP begins; 0 if there is none.
static __always_inline __u32 rd_find_udp(struct __sk_buff* skb, __u8 version) {
  if (version == RD_IPV4) {
    __u8 first = 0;
    __u8 protocol = 0;
    if (bpf_skb_load_bytes(skb, 0, &first, 1) != 0 || bpf_skb_load_bytes(skb, 9, &protocol, 1) != 0) return 0;
    return protocol == RD_PROTOCOL_UDP ? (first & 0xf) * 4 : 0;
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
  return next == RD_PROTOCOL_UDP ? at : 0;
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
