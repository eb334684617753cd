// Whether a policy wants to know of a connection: its two addresses are looked up before anything is sent.
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "sensor/bpf/lanes.h"
#include "sensor/bpf/policy.h"
#include "sensor/network/network_record.h"

struct {
  __uint(type, BPF_MAP_TYPE_LPM_TRIE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, RD_NETWORKS_MAX* RD_HALVES);
  __type(key, struct rd_network_key);
  __type(value, __u8);
} excluded_networks __weak SEC(".maps");

enum { RD_MAPPED_BYTES = 12 };  // ::ffff: in front of an IPv4 address

static __always_inline int rd_is_excluded_address(__u32 policy, __u8 version, const __u8* address) {
  struct rd_network_key key = {.bits = RD_NETWORK_BITS, .half = policy & RD_POLICY_HALF};
  if (version == RD_IPV6) {
    __builtin_memcpy(key.address, address, RD_ADDRESS_BYTES);
  } else {
    key.address[RD_MAPPED_BYTES - 2] = key.address[RD_MAPPED_BYTES - 1] = 0xff;
    __builtin_memcpy(key.address + RD_MAPPED_BYTES, address, RD_ADDRESS_BYTES - RD_MAPPED_BYTES);
  }
  return bpf_map_lookup_elem(&excluded_networks, &key) != 0;
}

// Who is told yes leaves the connection out: it is counted.
static __always_inline int rd_is_excluded_connection(const struct rd_connection* record) {
  __u32 policy = policy_now;
  if (!(policy & RD_POLICY_HAS_NETWORKS)) return 0;
  int is_excluded = rd_is_excluded_address(policy, record->version, record->local) ||
                    (record->has_remote && rd_is_excluded_address(policy, record->version, record->remote));
  return is_excluded && rd_count_excluded(RD_CONNECTION);
}
