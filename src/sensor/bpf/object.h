// Fields of kernel objects where every open of a file asks for them.
//
// Kernels since 6.2 let a program read an object in place when it names the type: a plain load, where
// bpf_probe_read_kernel() is a call. The file that defines RD_READS_IN_PLACE before it includes anything does so; one
// alone, for linkers of BPF objects before libbpf 1.5 join no two that name a function of the kernel. On others the
// first bytes of the object are copied at once: several fields for the price of one; a field that lies behind them, on
// some kernel, is read by itself.
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "sensor/bpf/kernel.h"

#ifdef RD_READS_IN_PLACE
extern void* bpf_rdonly_cast(const void* object, __u32 type) __ksym __weak;

// Set before loading: the kernel's numbers of these types; 0 where it lets nothing be read in place.
const volatile __u32 type_of_file = 0;
const volatile __u32 type_of_list_head = 0;

static __always_inline int rd_reads_in_place(void) { return type_of_file != 0; }

static __always_inline struct file* rd_file_in_place(struct file* file) { return bpf_rdonly_cast(file, type_of_file); }

// The pointer that lies at an address of the kernel; any type of which a pointer is the first member would do.
static __always_inline void* rd_pointer_in_place(const void* address) {
  return ((struct list_head*)bpf_rdonly_cast(address, type_of_list_head))->next;
}
#else
static __always_inline int rd_reads_in_place(void) { return 0; }
static __always_inline struct file* rd_file_in_place(struct file* file) { return file; }
static __always_inline void* rd_pointer_in_place(const void* address) { return 0; }
#endif

// A pointer as a number, which the verifier knows nothing of.
static __always_inline __u64 rd_number(const void* pointer) {
  __u64 value = 0;
  bpf_probe_read_kernel(&value, sizeof(value), &pointer);
  return value;
}

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

// `object` was reached in place if `in_place`, and else `bytes` were filled from it.
#define rd_field_at(in_place, bytes, object, field) ((in_place) ? (object)->field : rd_field_of(bytes, object, field))
#define rd_read_at(in_place, object, field) ((in_place) ? (object)->field : BPF_CORE_READ(object, field))
