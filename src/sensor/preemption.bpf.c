// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Asks a kernel that was built for several modes of preemption which of them it is in (preemption.h). Linux 5.16.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char rd_license[] SEC("license") = "Dual BSD/GPL";

SEC("syscall")
int preemption_mode(void* context) {
  const char name[] = "preempt_dynamic_mode";
  __u64 address = 0;
  int mode = -1;
  if (bpf_kallsyms_lookup_name(name, sizeof name, 0, (void*)&address) != 0) return -1;
  return bpf_probe_read_kernel(&mode, sizeof mode, (void*)address) == 0 ? mode : -1;
}
