// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Datagrams of UDP, as they leave the socket layer and as they enter it: whatever call sends or receives them, of
// either width, io_uring too. The first to or from a peer is told, the others are counted for the reader (peers.h). The
// programs only look: every packet passes.
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "sensor/bpf/actor.h"
#include "sensor/bpf/address_filter.h"
#include "sensor/bpf/datagram.h"
#include "sensor/bpf/kernel.h"
#include "sensor/bpf/lanes.h"
#include "sensor/bpf/owner.h"
#include "sensor/bpf/peers.h"
#include "sensor/network/network_record.h"

// For layout_test.cc: brings the types into the BTF.
const struct rd_peer_key* rd_layout_peer_key __attribute__((unused));
const struct rd_peer* rd_layout_peer __attribute__((unused));

char rd_license[] __weak SEC("license") = "Dual BSD/GPL";

static __always_inline void count_repeat(struct rd_peer* peer, __u32 bytes) {
  __sync_fetch_and_add(&peer->repeats, 1);
  __sync_fetch_and_add(&peer->repeat_bytes, bytes);
  peer->last_ns = bpf_ktime_get_boot_ns();
}

// `peer` has the actor; the rest of what is told is filled in here.
static __always_inline void tell_first(struct __sk_buff* skb, __u32 udp_at, const struct rd_peer_key* key,
                                       struct rd_peer* peer, __u8 action) {
  struct rd_connection* record = &peer->first;
  struct rd_udp_head head = {};
  int is_outbound = action != RD_RECEIVE;
  if (bpf_skb_load_bytes(skb, udp_at, &head, sizeof(head)) != 0) return;
  if (rd_load_from(skb, key->version, is_outbound ? record->local : record->remote) != 0) return;
  if (rd_load_to(skb, key->version, is_outbound ? record->remote : record->local) != 0) return;
  record->local_port = bpf_ntohs(is_outbound ? head.from_port : head.to_port);
  record->remote_port = bpf_ntohs(is_outbound ? head.to_port : head.from_port);
  record->head.kind = RD_CONNECTION;
  record->head.time_ns = bpf_ktime_get_boot_ns();
  record->action = action;
  record->version = key->version;
  record->protocol = RD_PROTOCOL_UDP;
  record->has_remote = 1;
  record->descriptor = RD_NO_DESCRIPTOR;
  record->bytes = rd_payload_bytes(skb, udp_at);
  if (rd_is_excluded_connection(record)) return;
  peer->last_ns = record->head.time_ns;
  if (bpf_map_update_elem(&peers, key, peer, BPF_NOEXIST) != 0) {
    struct rd_peer* there = bpf_map_lookup_elem(&peers, key);
    if (there) {  // another processor was faster
      count_repeat(there, record->bytes);
      return;
    }
  }
  rd_send(&ring_bulk, RD_LANE_BULK, &record->head, sizeof(*record));
}

// In the sender's context.
SEC("cgroup_skb/egress")
int datagram_leaves(struct __sk_buff* skb) {
  struct bpf_sock* sock = rd_udp_socket_of(skb);
  if (!sock) return RD_PASS;
  struct task_struct* task = (struct task_struct*)bpf_get_current_task();
  struct rd_peer_key key = {.pid = BPF_CORE_READ(task, tgid), .action = RD_RECEIVE};
  if (rd_is_quiet(key.pid)) return RD_PASS;
  key.start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
  __u8 version = rd_version_of(skb);
  __u32 udp_at = rd_find_udp(skb, version);
  struct rd_udp_head head = {};
  if (udp_at == 0 || bpf_skb_load_bytes(skb, udp_at, &head, sizeof(head)) != 0) return RD_PASS;
  struct rd_peer peer = {};
  __u64 socket = (__u64)sock;
  struct rd_actor* owner = bpf_map_lookup_elem(&owners, &socket);
  if (!owner || owner->pid != key.pid || owner->start_ns != key.start_ns) {
    rd_fill_actor(&peer.first.head.actor, task);
    bpf_map_update_elem(&owners, &socket, &peer.first.head.actor, BPF_ANY);
  }
  key.version = version;
  key.port = bpf_ntohs(head.from_port);
  if (rd_load_to(skb, version, key.address) != 0) return RD_PASS;
  if (bpf_map_lookup_elem(&peers, &key)) return RD_PASS;  // an answer to one who came first
  key.action = RD_SEND;
  key.port = bpf_ntohs(head.to_port);
  struct rd_peer* known = bpf_map_lookup_elem(&peers, &key);
  if (known) {
    count_repeat(known, rd_payload_bytes(skb, udp_at));
  } else {
    rd_fill_actor(&peer.first.head.actor, task);
    tell_first(skb, udp_at, &key, &peer, rd_remote_port_of(sock) != 0 ? RD_CONNECT : RD_SEND);
  }
  return RD_PASS;
}

// In nobody's context.
SEC("cgroup_skb/ingress")
int datagram_arrives(struct __sk_buff* skb) {
  struct bpf_sock* sock = rd_udp_socket_of(skb);
  if (!sock) return RD_PASS;
  __u64 socket = (__u64)sock;
  struct rd_actor* owner = bpf_map_lookup_elem(&owners, &socket);
  if (!owner) return RD_PASS;
  __u8 version = rd_version_of(skb);
  __u32 udp_at = rd_find_udp(skb, version);
  struct rd_udp_head head = {};
  if (udp_at == 0 || bpf_skb_load_bytes(skb, udp_at, &head, sizeof(head)) != 0) return RD_PASS;
  struct rd_peer peer = {};
  peer.first.head.actor = *owner;
  struct rd_peer_key key = {.start_ns = owner->start_ns,
                            .pid = owner->pid,
                            .port = bpf_ntohs(head.from_port),
                            .action = RD_SEND,
                            .version = version};
  if (rd_load_from(skb, version, key.address) != 0) return RD_PASS;
  if (bpf_map_lookup_elem(&peers, &key)) return RD_PASS;  // an answer
  key.action = RD_RECEIVE;
  key.port = bpf_ntohs(head.to_port);
  struct rd_peer* known = bpf_map_lookup_elem(&peers, &key);
  if (known) {
    count_repeat(known, rd_payload_bytes(skb, udp_at));
  } else {
    tell_first(skb, udp_at, &key, &peer, RD_RECEIVE);
  }
  return RD_PASS;
}
