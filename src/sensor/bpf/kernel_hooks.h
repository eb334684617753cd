// The part of kernel.h that only programs at functions read: what their functions are called with.
#pragma once

#include <linux/types.h>

#include "sensor/bpf/kernel.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct filename {
  const char* name;  // the kernel's copy
  const char* uptr;  // where the caller has it
};

struct open_flags {
  int open_flag;
};

struct io_cqe {
  __s32 res;
};

struct io_kiocb {
  struct file* file;
  struct io_cqe cqe;
};

#pragma clang attribute pop
