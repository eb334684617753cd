// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// The last close of a file, in the lsm tier, whatever brings it about: that of the last descriptor, the end of a
// process, an unmapping, io_uring. The kernel gives up the file's locks there.
#include "sensor/bpf/function.h"

#include "sensor/bpf/claim.h"
#include "sensor/bpf/open_files.h"

char rd_license[] __weak SEC("license") = "Dual BSD/GPL";

// Without a slot the reader finds it (change.bpf.c).
SEC("fentry/locks_remove_file")
int BPF_PROG(file_closed, struct file* file) {
  if (!(rd_read_at(arguments_have_types, file, f_mode) & RD_FMODE_WRITE)) return 0;
  __u64 address = rd_number(file);
  if (!bpf_map_lookup_elem(&open_files, &address)) return 0;
  __u32 slot = rd_slot_claim();
  if (slot >= RD_SLOTS) return 0;
  rd_settle_file(slot, address, RD_CLOSING);
  rd_slot_release(slot);
  return 0;
}
