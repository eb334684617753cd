// What calls on sockets are told as: for both tiers, which come to the socket in their own ways.
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "sensor/bpf/actor.h"
#include "sensor/bpf/address_filter.h"
#include "sensor/bpf/kernel.h"
#include "sensor/bpf/lanes.h"
#include "sensor/bpf/owner.h"
#include "sensor/bpf/tuple.h"
#include "sensor/network/network_record.h"

enum { RD_SOCK_BINDPORT_LOCK = 8 };  // the port was asked for

static __always_inline int rd_is_quiet_here(void) { return rd_is_quiet(bpf_get_current_pid_tgid() >> 32); }

static __always_inline void rd_begin_connection(struct rd_connection* record, __u8 action) {
  rd_fill_head(&record->head, RD_CONNECTION, (struct task_struct*)bpf_get_current_task());
  record->action = action;
  record->descriptor = RD_NO_DESCRIPTOR;
}

static __always_inline void rd_send_connection(struct rd_connection* record) {
  if (rd_is_excluded_connection(record)) return;
  rd_send(&ring_bulk, RD_LANE_BULK, &record->head, sizeof(*record));
}

// `descriptor` may be RD_NO_DESCRIPTOR.
static __always_inline int rd_tell_socket_call(struct sock* sock, int descriptor, __u8 action) {
  if (!sock || rd_is_quiet_here()) return 0;
  struct rd_connection record = {};
  rd_begin_connection(&record, action);
  record.descriptor = descriptor;
  rd_fill_tuple(&record, sock);
  rd_send_connection(&record);
  return 0;
}

// A datagram socket on a port of the program's choice; TCP is told when it listens.
static __always_inline int rd_tell_bound(struct sock* sock, int descriptor) {
  if (!sock || BPF_CORE_READ(sock, sk_protocol) != RD_PROTOCOL_UDP || rd_is_quiet_here()) return 0;
  __u64 key = (__u64)sock;
  struct rd_actor actor = {};
  rd_fill_actor(&actor, (struct task_struct*)bpf_get_current_task());
  bpf_map_update_elem(&owners, &key, &actor, BPF_ANY);
  if ((BPF_CORE_READ_BITFIELD_PROBED(sock, sk_userlocks) & RD_SOCK_BINDPORT_LOCK) == 0) return 0;
  return rd_tell_socket_call(sock, descriptor, RD_LISTEN);
}

// Sockets that see more than what is sent to them.
static __always_inline int rd_tell_made(struct socket* socket, int descriptor) {
  if (!socket) return 0;
  struct sock* sock = BPF_CORE_READ(socket, sk);
  __u16 family = BPF_CORE_READ(sock, __sk_common.skc_family);
  __u16 type = BPF_CORE_READ(socket, type);
  if (family != RD_AF_PACKET && !(type == RD_SOCK_RAW && rd_is_ip_family(family))) return 0;
  if (rd_is_quiet_here()) return 0;
  struct rd_socket record = {.family = family, .type = type, .descriptor = descriptor};
  rd_fill_head(&record.head, RD_SOCKET, (struct task_struct*)bpf_get_current_task());
  struct packet_sock* packet = (void*)sock;
  record.protocol = family == RD_AF_PACKET ? bpf_ntohs(BPF_CORE_READ(packet, num)) : BPF_CORE_READ(sock, sk_protocol);
  rd_send(&ring_bulk, RD_LANE_BULK, &record.head, sizeof(record));
  return 0;
}
