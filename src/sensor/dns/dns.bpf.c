// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Messages of DNS over UDP: the beginning of a query as it leaves the socket of the process that asks, and of what
// comes back to a socket that somebody is known to own. Over TCP: what passes on a connection to the port of servers,
// in pieces, of each packet the first few. Messages are read on the user side. Every packet passes.
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "sensor/bpf/actor.h"
#include "sensor/bpf/datagram.h"
#include "sensor/bpf/kernel.h"
#include "sensor/bpf/lanes.h"
#include "sensor/bpf/owner.h"
#include "sensor/dns/dns_record.h"

// For layout_test.cc: brings the type into the BTF.
const struct rd_dns* rd_layout_dns __attribute__((unused));

char rd_license[] __weak SEC("license") = "Dual BSD/GPL";

enum { RD_DNS_MESSAGE_AT = __builtin_offsetof(struct rd_dns, message) };

_Static_assert(sizeof(struct rd_dns) <= RD_SCRATCH_BYTES, "fits the scratch space");

// A query's record is on the stack: two tasks may be here on one processor.
struct query {
  __u8 head[RD_DNS_MESSAGE_AT] __attribute__((aligned(8)));
  char message[RD_DNS_QUERY_BYTES];
};

static __always_inline void begin(struct rd_dns* record, __u8 direction, __u8 version) {
  record->head.kind = RD_DNS;
  record->head.time_ns = bpf_ktime_get_boot_ns();
  record->server_port = RD_DNS_PORT;
  record->direction = direction;
  record->version = version;
}

// Whoever calls checks what comes out: the compiler does not see that it need not, and the verifier sees that it did.
static __always_inline __u64 cut(__u64 bytes, __u64 most) {
  if (bytes > most) bytes = most;
  barrier_var(bytes);
  return bytes;
}

// `record` has room for pieces of `most` bytes. Packets of TCP leave and arrive in anybody's context.
static __always_inline int tell_pieces(struct __sk_buff* skb, struct bpf_sock* sock, struct rd_dns* record,
                                       __u8 direction, __u64 most) {
  __u64 socket = (__u64)sock;
  struct rd_actor* owner = bpf_map_lookup_elem(&owners, &socket);
  if (!owner || !record || rd_is_quiet(owner->pid)) return RD_PASS;
  __u8 version = rd_version_of(skb);
  struct rd_segment left = rd_segment_of(skb, version);
  if (left.bytes == 0) return RD_PASS;
  record->head.actor = *owner;
  begin(record, direction, version);
  __builtin_memset(record->server, 0, sizeof(record->server));
  long failed =
      direction == RD_DNS_QUERY ? rd_load_to(skb, version, record->server) : rd_load_from(skb, version, record->server);
  if (failed) return RD_PASS;
  record->stream = bpf_get_socket_cookie(skb);
  for (int i = 0; i < RD_DNS_PIECES_MAX; i++) {
    __u64 bytes = cut(left.bytes, most);
    // One question each, and the first one of signed numbers: of that it is not 0 a verifier learns nothing.
    if ((__s64)bytes < 1) return RD_PASS;
    barrier_var(bytes);
    if (bytes > most) return RD_PASS;
    if (bpf_skb_load_bytes(skb, left.at, record->message, bytes) != 0) return RD_PASS;
    record->message_bytes = bytes;
    record->whole_bytes = bytes;
    record->sequence = left.sequence;
    rd_send(&ring_bulk, RD_LANE_BULK, &record->head, RD_DNS_MESSAGE_AT + bytes);
    left.at += bytes;
    left.bytes -= bytes;
    left.sequence += bytes;
  }
  return RD_PASS;
}

static __always_inline int is_stream_to_server(struct bpf_sock* sock) {
  return sock->protocol == RD_PROTOCOL_TCP && rd_remote_port_of(sock) == bpf_htons(RD_DNS_PORT);
}

SEC("cgroup_skb/egress")
int dns_leaves(struct __sk_buff* skb) {
  struct bpf_sock* sock = rd_socket_of_packet(skb);
  if (!sock) return RD_PASS;
  struct query space;  // cleared once it is known that there is something to tell
  struct rd_dns* record = (void*)&space;
  if (is_stream_to_server(sock)) {
    __builtin_memset(&space, 0, sizeof(space));
    return tell_pieces(skb, sock, record, RD_DNS_QUERY, RD_DNS_QUERY_BYTES);
  }
  if (sock->protocol != RD_PROTOCOL_UDP) return RD_PASS;
  __u8 version = rd_version_of(skb);
  __u32 udp_at = rd_find_udp(skb, version);
  struct rd_udp_head ends = {};
  if (udp_at == 0 || bpf_skb_load_bytes(skb, udp_at, &ends, sizeof(ends)) != 0) return RD_PASS;
  if (ends.to_port != bpf_htons(RD_DNS_PORT)) return RD_PASS;
  struct task_struct* task = (struct task_struct*)bpf_get_current_task();
  if (rd_is_quiet(BPF_CORE_READ(task, tgid))) return RD_PASS;
  __u32 whole = rd_payload_bytes(skb, udp_at);
  __u64 bytes = cut(whole, RD_DNS_QUERY_BYTES);
  if (bytes < RD_DNS_HEAD_BYTES || bytes > RD_DNS_QUERY_BYTES) return RD_PASS;
  __builtin_memset(&space, 0, sizeof(space));
  if (bpf_skb_load_bytes(skb, udp_at + RD_UDP_HEAD_BYTES, space.message, bytes) != 0) return RD_PASS;
  rd_fill_actor(&record->head.actor, task);
  begin(record, RD_DNS_QUERY, version);
  if (rd_load_to(skb, version, record->server) != 0) return RD_PASS;
  record->message_bytes = bytes;
  record->whole_bytes = whole;
  rd_send(&ring_bulk, RD_LANE_BULK, &record->head, RD_DNS_MESSAGE_AT + bytes);
  return RD_PASS;
}

// In nobody's context, but never twice at a time on a processor: it has a slot of the scratch space to itself.
SEC("cgroup_skb/ingress")
int dns_arrives(struct __sk_buff* skb) {
  struct bpf_sock* sock = rd_socket_of_packet(skb);
  if (!sock) return RD_PASS;
  if (is_stream_to_server(sock)) {
    return tell_pieces(skb, sock, rd_scratch_get(RD_SLOT_ARRIVAL), RD_DNS_ANSWER, RD_DNS_ANSWER_BYTES);
  }
  if (sock->protocol != RD_PROTOCOL_UDP) return RD_PASS;
  __u8 version = rd_version_of(skb);
  __u32 udp_at = rd_find_udp(skb, version);
  struct rd_udp_head ends = {};
  if (udp_at == 0 || bpf_skb_load_bytes(skb, udp_at, &ends, sizeof(ends)) != 0) return RD_PASS;
  if (ends.from_port != bpf_htons(RD_DNS_PORT)) return RD_PASS;
  __u64 socket = (__u64)sock;
  struct rd_actor* owner = bpf_map_lookup_elem(&owners, &socket);
  struct rd_dns* record = rd_scratch_get(RD_SLOT_ARRIVAL);
  if (!owner || !record) return RD_PASS;
  __u32 whole = rd_payload_bytes(skb, udp_at);
  __u64 bytes = cut(whole, RD_DNS_ANSWER_BYTES);
  if (bytes < RD_DNS_HEAD_BYTES || bytes > RD_DNS_ANSWER_BYTES) return RD_PASS;
  if (bpf_skb_load_bytes(skb, udp_at + RD_UDP_HEAD_BYTES, record->message, bytes) != 0) return RD_PASS;
  record->head.actor = *owner;
  begin(record, RD_DNS_ANSWER, version);
  __builtin_memset(record->server, 0, sizeof(record->server));
  if (rd_load_from(skb, version, record->server) != 0) return RD_PASS;
  record->message_bytes = bytes;
  record->whole_bytes = whole;
  record->stream = 0;
  rd_send(&ring_bulk, RD_LANE_BULK, &record->head, RD_DNS_MESSAGE_AT + bytes);
  return RD_PASS;
}
