// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Files that were changed: opened for writing, written into or emptied or mapped, and closed (open_files.h). And what
// the reader runs to look over these and over what is counted (repeats.h).
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "sensor/bpf/arch.h"
#include "sensor/bpf/call_end.h"
#include "sensor/bpf/open_files.h"

char rd_license[] __weak SEC("license") = "Dual BSD/GPL";

enum { RD_PROT_WRITE = 2, RD_MAP_TYPE = 0xf, RD_MAP_PRIVATE = 2 };

// The last descriptor is gone, or the file's counter would not stand where it does. A process that has no file open
// for writing pays for one load. Handler of the system call dispatcher.
CALL_END(file_close) {
  __u32 pid = bpf_get_current_pid_tgid() >> 32;
  if (!*rd_writers_of(pid)) return 0;
  struct rd_written_key key = {.pid = pid, .descriptor = rd_syscall_argument(regs, 0)};
  rd_settle_descriptor(&key);
  return 0;
}

// A file that is mapped for writing and shared is written into without a call, and not always are its times set. The
// protection is in the same register for both entries.
CALL_END(file_map) {
  if (!(regs->dx & RD_PROT_WRITE) || (rd_syscall_argument(regs, 3) & RD_MAP_TYPE) == RD_MAP_PRIVATE) return 0;
  struct file* file = followed_files ? rd_file_of(rd_syscall_argument(regs, 4)) : 0;
  __u64 address = rd_number(file);
  struct rd_open_file* known = file ? bpf_map_lookup_elem(&open_files, &address) : 0;
  if (known) known->is_certain = 1;
  return 0;
}

static __always_inline void refresh_path(struct rd_open_file* known) {
  struct rd_file* record = rd_scratch_get(RD_SLOT_SEED);
  if (!record || rd_has_same_name(known) || !rd_still_names(known)) return;
  __u64 end = rd_put_path(RD_SLOT_SEED, known->dentry, known->mount, RD_FILE_DATA, RD_FILE_DATA + RD_PATH_END);
  rd_keep_path(known, record, end - RD_FILE_DATA);
}

// Looks over the counts of repeats; the reader runs it.
SEC("iter/bpf_map_elem")
int file_repeats(struct bpf_iter__bpf_map_elem* context) {
  struct rd_repeat_key* given = context->key;
  if (!given) return 0;
  struct rd_repeat_key key = *given;
  rd_settle_repeat(RD_SLOT_SEED, &key);
  return 0;
}

// Looks over the files; the reader runs it. Those that are renamed while they are open have their new name.
SEC("iter/bpf_map_elem")
int file_changes(struct bpf_iter__bpf_map_elem* context) {
  __u64* key = context->key;
  if (!key) return 0;
  __u64 address = *key;
  struct rd_open_file* known = bpf_map_lookup_elem(&open_files, &address);
  if (!known) return 0;
  if (rd_is_still_open((struct file*)address, known->inode)) {
    refresh_path(known);
  } else {
    rd_settle_file(RD_SLOT_SEED, address, RD_CLOSED_BEFORE);
  }
  return 0;
}
