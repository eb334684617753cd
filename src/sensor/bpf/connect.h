// Attempts to connect by TCP: told once, when their outcome is known, at the change of state or when connect() returns,
// whichever is first. By UDP nobody is asked (peers.h).
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "sensor/bpf/address.h"
#include "sensor/bpf/errors.h"
#include "sensor/bpf/socket_call.h"
#include "sensor/dns/dns_record.h"

enum { RD_CONNECTING_MAX = 8192, RD_ATTEMPTS_MAX = 1024 };

enum {
  RD_EADDRNOTAVAIL = 99,
  RD_ENETDOWN = 100,
  RD_ENETUNREACH = 101,
  RD_ECONNABORTED = 103,
  RD_EHOSTUNREACH = 113,
  RD_EINPROGRESS = 115,
};

// Attempts under way: socket → what will be told. Every socket leaves SYN_SENT, so entries do not pile up. Who takes an
// entry out tells it.
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, RD_CONNECTING_MAX);
  __type(key, __u64);
  __type(value, struct rd_connection);
} connecting __weak SEC(".maps");

// Thread → the socket that it brought into SYN_SENT: its connect() failed behind that, or before.
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, RD_ATTEMPTS_MAX);
  __type(key, __u64);
  __type(value, __u64);
} attempts __weak SEC(".maps");

static __always_inline void rd_tell_connecting(struct sock* sock, int result) {
  __u64 key = (__u64)sock;
  struct rd_connection* kept = bpf_map_lookup_elem(&connecting, &key);
  if (!kept) return;
  struct rd_connection record = *kept;
  if (bpf_map_delete_elem(&connecting, &key) != 0) return;
  rd_fill_tuple(&record, sock);
  record.result = result;
  rd_send_connection(&record);
}

static __always_inline void rd_begin_connecting(struct sock* sock) {
  struct rd_connection record = {};
  rd_begin_connection(&record, RD_CONNECT);
  rd_fill_tuple(&record, sock);
  record.result = -RD_EINPROGRESS;
  __u64 key = (__u64)sock;
  __u64 thread = bpf_get_current_pid_tgid();
  bpf_map_update_elem(&attempts, &thread, &key, BPF_ANY);
  if (record.remote_port == RD_DNS_PORT) bpf_map_update_elem(&owners, &key, &record.head.actor, BPF_ANY);
  // Without room the attempt is told at once; the local port is not chosen yet.
  if (bpf_map_update_elem(&connecting, &key, &record, BPF_ANY) != 0) rd_send_connection(&record);
}

// Errors that the kernel gives before it tries, and that a second connect() does not repeat.
static __always_inline int rd_is_refused_here(long result) {
  return result == -RD_EPERM || result == -RD_EACCES || result == -RD_EADDRNOTAVAIL || result == -RD_ENETDOWN ||
         result == -RD_ENETUNREACH || result == -RD_EHOSTUNREACH;
}

struct rd_given_address {
  __u16 family;
  __be16 port;
  __u32 words[6];  // version 4: the first; version 6: flow label, then the address
};

static __always_inline void rd_tell_refused(struct sock* sock, __u64 address, enum rd_address_in in, long result) {
  struct rd_given_address given = {};
  // The address of version 4 is 16 bytes long, so that the rest may not be readable.
  if (rd_read_address(&given, 16, address, in) != 0 || !rd_is_ip_family(given.family)) return;
  if (given.family == RD_AF_INET6 && rd_read_address(&given, sizeof(given), address, in) != 0) return;
  struct rd_connection record = {};
  rd_begin_connection(&record, RD_CONNECT);
  record.protocol = BPF_CORE_READ(sock, sk_protocol);
  record.version = given.family == RD_AF_INET6 && !rd_is_v4_mapped(&given.words[1]) ? RD_IPV6 : RD_IPV4;
  record.has_remote = 1;
  record.remote_port = bpf_ntohs(given.port);
  if (record.version == RD_IPV6) {
    __builtin_memcpy(record.remote, &given.words[1], sizeof(record.remote));
  } else {
    __builtin_memcpy(record.remote, given.family == RD_AF_INET6 ? &given.words[4] : &given.words[0], 4);
  }
  record.result = result;
  rd_send_connection(&record);
}

static __always_inline int rd_after_connect(struct sock* sock, __u64 address, enum rd_address_in in, long result) {
  if (!sock || BPF_CORE_READ(sock, sk_protocol) != RD_PROTOCOL_TCP) return 0;
  __u64 thread = bpf_get_current_pid_tgid();
  __u64* attempt = bpf_map_lookup_elem(&attempts, &thread);
  int has_begun = attempt && *attempt == (__u64)sock;
  if (attempt) bpf_map_delete_elem(&attempts, &thread);
  if (!has_begun) {
    if (rd_is_refused_here(result) && !rd_is_quiet_here()) rd_tell_refused(sock, address, in, result);
    return 0;
  }
  if (result != -RD_EINPROGRESS) {
    rd_tell_connecting(sock, result);
    return 0;
  }
  __u64 key = (__u64)sock;
  struct rd_connection* kept = bpf_map_lookup_elem(&connecting, &key);
  if (kept) rd_fill_tuple(kept, sock);  // by now it has a local port
  return 0;
}
