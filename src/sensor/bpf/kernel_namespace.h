// The part of kernel.h that is about namespaces and the numbers of processes in them.
#pragma once

#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
  __u32 ns_type;
  unsigned int inum;
};

struct proc_ns_operations___before_6_18 {
  int type;
};

struct ns_common___before_6_18 {
  const struct proc_ns_operations___before_6_18* ops;
};

struct pid_namespace {
  struct ns_common ns;
};

struct mnt_namespace {
  struct ns_common ns;
};

struct net {
  struct ns_common ns;
};

struct user_namespace {
  struct ns_common ns;
};

struct nsproxy {
  struct mnt_namespace* mnt_ns;
  struct net* net_ns;
};

struct upid {
  int nr;
  struct pid_namespace* ns;
};

struct pid {
  unsigned int level;
  struct upid numbers[1];  // one a namespace, outermost first
};

#pragma clang attribute pop
