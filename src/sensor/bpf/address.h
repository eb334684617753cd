// Reading the address that connect() was given, which is the caller's memory or the kernel's copy.
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

// Where it lies.
enum rd_address_in { RD_ADDRESS_OF_CALLER, RD_ADDRESS_IN_KERNEL };

static __always_inline long rd_read_address(void* to, __u32 bytes, __u64 address, enum rd_address_in in) {
  return in == RD_ADDRESS_IN_KERNEL ? bpf_probe_read_kernel(to, bytes, (void*)address)
                                    : bpf_probe_read_user(to, bytes, (void*)address);
}
