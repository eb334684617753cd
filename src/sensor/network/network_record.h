// Records and map entries of the network source, for both sides.
#pragma once

#include "sensor/bpf/record.h"

// What happened on a socket of the IP families.
enum rd_connection_action {
  RD_CONNECT = 1,
  RD_ACCEPT = 2,
  RD_LISTEN = 3,
  RD_DUP = 4,      // put in the place of descriptor 0, 1 or 2
  RD_SEND = 5,     // datagrams of a socket without a fixed peer
  RD_RECEIVE = 6,  // datagrams of a peer that was sent none before
};

enum { RD_IPV4 = 4, RD_IPV6 = 6, RD_ADDRESS_BYTES = 16, RD_NO_DESCRIPTOR = -1 };

// RD_CONNECTION. Addresses in network order (IPv4 in the first four bytes), ports in host order, 0 if not known.
struct rd_connection {
  struct rd_head head;
  __u8 local[RD_ADDRESS_BYTES];
  __u8 remote[RD_ADDRESS_BYTES];
  __u16 local_port;
  __u16 remote_port;
  __u8 action;
  __u8 version;
  __u8 protocol;  // IPPROTO_TCP, IPPROTO_UDP
  __u8 has_remote;
  __s32 result;      // 0, or an error number below 0
  __s32 descriptor;  // RD_NO_DESCRIPTOR if not known
  __u64 count;       // how many times, of datagrams that are counted together
  __u64 bytes;       // their payload
  __u64 since_ns;    // the first of them; 0 where it is one
};

// RD_SOCKET: a raw or packet socket was made.
struct rd_socket {
  struct rd_head head;
  __u16 family;
  __u16 type;
  __u16 protocol;
  __u16 zero;
  __s32 descriptor;
  __u32 zero_too;
};

RD_ASSERT(sizeof(struct rd_connection) == 152, "both sides");
RD_ASSERT(sizeof(struct rd_socket) == 96, "both sides");
