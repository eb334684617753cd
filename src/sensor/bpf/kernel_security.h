// The part of kernel.h that only security sources read: signals and BPF programs.
#pragma once

#include <linux/bpf.h>
#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct kernel_siginfo {
  int si_code;
};

struct bpf_prog_aux {
  char name[16];
};

struct bpf_prog {
  enum bpf_prog_type type;
  struct bpf_prog_aux* aux;
};

#pragma clang attribute pop
