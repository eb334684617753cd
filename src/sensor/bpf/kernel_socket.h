// Sockets as the kernel has them; see kernel.h.
#pragma once

#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct in6_addr {
  __u8 bytes[16];
};

struct sock_common {
  __be32 skc_daddr;
  __be32 skc_rcv_saddr;
  __be16 skc_dport;
  unsigned short skc_family;
  volatile unsigned char skc_state;
  struct in6_addr skc_v6_daddr;
  struct in6_addr skc_v6_rcv_saddr;
};

struct sock {
  struct sock_common __sk_common;
  __u8 sk_userlocks;
  __u16 sk_protocol;
  int sk_err;
};

struct inet_sock {
  struct sock sk;
  __be16 inet_sport;
};

struct packet_sock {
  __be16 num;
};

struct socket {
  short type;
  struct sock* sk;
};

#pragma clang attribute pop
