// The first bytes of a kernel object, read at once: several fields for the price of one. A field that lies behind them,
// on some kernel, is read by itself.
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "sensor/bpf/kernel.h"

struct rd_dentry_bytes {
  __u64 words[8];
};
struct rd_file_bytes {
  __u64 words[16];
};

// `bytes` is one of the above, filled from `object`.
#define rd_fill_bytes(bytes, object) bpf_probe_read_kernel(&(bytes), sizeof(bytes), object)

#define rd_field_of(bytes, object, field)                              \
  ({                                                                   \
    typeof((object)->field) value_;                                    \
    const __u64 at_ = bpf_core_field_offset(typeof(*(object)), field); \
    if (at_ + sizeof(value_) <= sizeof(bytes)) {                       \
      value_ = *(typeof(value_)*)((char*)&(bytes) + at_);              \
    } else {                                                           \
      value_ = BPF_CORE_READ(object, field);                           \
    }                                                                  \
    value_;                                                            \
  })
