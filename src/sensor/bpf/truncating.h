// Threads that carry out a request of io_uring to set the length of a file: the security hook cannot tell from the call
// that the thread entered the kernel with, and open() comes to it too.
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

enum { RD_TRUNCATING_MAX = 4096 };

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, RD_TRUNCATING_MAX);
  __type(key, __u64);
  __type(value, __u8);
} truncating __weak SEC(".maps");

static __always_inline int rd_is_truncating(void) {
  __u64 thread = bpf_get_current_pid_tgid();
  return bpf_map_lookup_elem(&truncating, &thread) != 0;
}
