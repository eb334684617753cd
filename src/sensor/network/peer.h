// What the programs keep of datagrams, for both sides: who owns a socket, and with whom a process exchanged datagrams.
#pragma once

#include "sensor/network/network_record.h"

enum { RD_PEERS_MAX = 4096 };

// Of a process and an address. `port` is the remote one of datagrams that go out, the local one of those that come in:
// a server's clients each use many.
struct rd_peer_key {
  __u64 start_ns;
  __u32 pid;
  __u16 port;
  __u8 action;  // RD_SEND or RD_RECEIVE
  __u8 version;
  __u8 address[RD_ADDRESS_BYTES];
};

struct rd_peer {
  struct rd_connection first;  // as it was told
  __u64 repeats;               // datagrams since, and their payload
  __u64 repeat_bytes;
  __u64 last_ns;
};

RD_ASSERT(sizeof(struct rd_peer_key) == 32, "both sides");
RD_ASSERT(sizeof(struct rd_peer) == 176, "both sides");
