// When an inode was written and when it was changed last, in nanoseconds since the Unix epoch.
#pragma once

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "sensor/bpf/kernel.h"

// The highest bit of the nanoseconds is a mark of the kernel's.
enum { RD_SECOND_NS = 1000000000, RD_NANOSECONDS = 0x7fffffff };

#define rd_time_of(inode, time) (BPF_CORE_READ(inode, time.tv_sec) * RD_SECOND_NS + BPF_CORE_READ(inode, time.tv_nsec))

// Programs can set it.
static __always_inline __s64 rd_write_time(struct inode* inode) {
  struct inode___before_6_11* middle = (void*)inode;
  struct inode___before_6_7* old = (void*)inode;
  if (bpf_core_field_exists(inode->i_mtime_sec)) {
    return BPF_CORE_READ(inode, i_mtime_sec) * RD_SECOND_NS + (BPF_CORE_READ(inode, i_mtime_nsec) & RD_NANOSECONDS);
  }
  return bpf_core_field_exists(middle->__i_mtime) ? rd_time_of(middle, __i_mtime) : rd_time_of(old, i_mtime);
}

// Programs cannot.
static __always_inline __s64 rd_change_time(struct inode* inode) {
  struct inode___before_6_11* middle = (void*)inode;
  struct inode___before_6_6* old = (void*)inode;
  if (bpf_core_field_exists(inode->i_ctime_sec)) {
    return BPF_CORE_READ(inode, i_ctime_sec) * RD_SECOND_NS + (BPF_CORE_READ(inode, i_ctime_nsec) & RD_NANOSECONDS);
  }
  return bpf_core_field_exists(middle->__i_ctime) ? rd_time_of(middle, __i_ctime) : rd_time_of(old, i_ctime);
}
