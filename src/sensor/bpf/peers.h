// With whom a process exchanges datagrams: told once, by the connect() that fixes the peer of a socket or else by the
// first datagram; those that follow are counted for the reader (peers.h of the user side).
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "sensor/bpf/socket_call.h"
#include "sensor/bpf/walk.h"
#include "sensor/network/peer.h"

// Without room the datagrams of further peers are told each by itself.
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, RD_PEERS_MAX);
  __type(key, struct rd_peer_key);
  __type(value, struct rd_peer);
} peers __weak SEC(".maps");

// Whether a connect() that came to `result` gave a datagram socket a peer.
static __always_inline int rd_is_given_peer(struct sock* sock, long result) {
  return sock && result == 0 && BPF_CORE_READ(sock, sk_protocol) == RD_PROTOCOL_UDP;
}

// Tells whom. What then is counted is sent, not connected. Where it cannot be remembered the first datagram tells it,
// as it does for what is known; nothing can be sent to port 0. In a slot of the scratch space and a function of its
// own: the callers have not the stack for it.
RD_WALK __u64 rd_tell_peer(__u32 slot, __u64 sock_address) {
  struct rd_peer* peer = rd_scratch_get(slot);
  if (!peer || rd_is_quiet_here()) return 0;
  __builtin_memset(peer, 0, sizeof(*peer));
  struct rd_connection* record = &peer->first;
  rd_begin_connection(record, RD_CONNECT);
  rd_fill_tuple(record, (struct sock*)sock_address);
  if (!record->has_remote || rd_is_excluded_connection(record)) return 0;
  struct rd_peer_key key = {.start_ns = record->head.actor.start_ns,
                            .pid = record->head.actor.pid,
                            .port = record->remote_port,
                            .action = RD_SEND,
                            .version = record->version};
  __builtin_memcpy(key.address, record->remote, sizeof(key.address));
  peer->last_ns = record->head.time_ns;
  record->action = RD_SEND;
  if (bpf_map_update_elem(&peers, &key, peer, BPF_NOEXIST) != 0) return 0;
  record->action = RD_CONNECT;
  rd_send(&ring_bulk, RD_LANE_BULK, &record->head, sizeof(*record));
  return 0;
}
