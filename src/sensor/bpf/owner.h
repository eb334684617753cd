// Whose a socket is: what arrives is handed to it in nobody's context.
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "sensor/bpf/record.h"

enum { RD_OWNERS_MAX = 8192 };

// Socket of datagrams → the process that bound it or sent through it last; socket of TCP to a server of names → the one
// that connected it. Entries outlive their socket until they are the longest unused; the next socket at that address is
// bound, sends or connects before it can be taken for the old one.
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, RD_OWNERS_MAX);
  __type(key, __u64);
  __type(value, struct rd_actor);
} owners __weak SEC(".maps");
