// Records of the network source, for both sides.
#pragma once

#include "sensor/bpf/record.h"

enum rd_direction { RD_OUTBOUND = 1, RD_INBOUND = 2 };
enum { RD_IPV4 = 4, RD_IPV6 = 6, RD_ADDRESS_BYTES = 16 };

// RD_CONNECTION. Addresses in network order (IPv4 in the first four bytes), ports in host order, 0 if not known.
struct rd_connection {
  struct rd_head head;
  __u8 local[RD_ADDRESS_BYTES];
  __u8 remote[RD_ADDRESS_BYTES];
  __u16 local_port;
  __u16 remote_port;
  __u8 direction;
  __u8 version;
  __u16 zero;
};

RD_ASSERT(sizeof(struct rd_connection) == 120, "both sides");
