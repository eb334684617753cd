// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// What changes the kernel or opens a door into it: modules, BPF programs, mounts, new kernels, userfaultfd, io_uring.
// (Settings below /proc/sys are files: the file source tells who opens them for writing.)
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "sensor/bpf/actor.h"
#include "sensor/bpf/arch.h"
#include "sensor/bpf/call_end.h"
#include "sensor/bpf/context.h"
#include "sensor/bpf/descriptor.h"
#include "sensor/bpf/kept_change.h"
#include "sensor/bpf/kernel.h"
#include "sensor/bpf/kernel_security.h"
#include "sensor/bpf/path.h"
#include "sensor/bpf/rate.h"
#include "sensor/kernel_change/kernel_change_record.h"

// For layout_test.cc: brings the type into the BTF.
const struct rd_kernel* rd_layout_kernel __attribute__((unused));

char rd_license[] __weak SEC("license") = "Dual BSD/GPL";

enum { RD_MOUNT_FROM_CWD = -100, RD_BPF_PROG_LOAD = 5 };

_Static_assert(sizeof(struct rd_kernel) <= RD_SCRATCH_BYTES, "fits the scratch space");

static __always_inline void fill_call(struct rd_kernel* record, struct pt_regs* regs) {
  struct task_struct* task = (struct task_struct*)bpf_get_current_task();
  rd_fill_head(&record->head, RD_KERNEL, task);
  rd_fill_context(&record->context, task);
  record->call.number = rd_syscall_number(regs);
  record->call.compat = rd_is_compat();
}

static __always_inline struct rd_kernel* begin_change(struct pt_regs* regs) {
  struct rd_kernel* record = rd_scratch_get(RD_SLOT_EVENT);
  if (!record) return 0;
  fill_call(record, regs);
  record->program_type = 0;
  record->base_bytes = 0;
  record->target_bytes = 0;
  record->source_bytes = 0;
  record->name_bytes = 0;
  record->zero = 0;
  return record;
}

static __always_inline int send_change(struct rd_kernel* record, __u64 end) {
  if (end > sizeof(*record)) return 0;  // never; for the verifier
  rd_send_security(&record->head, end);
  return 0;
}

// Tells what the call's hook has kept (kernel_change_lsm.bpf.c). Whether it had.
static __always_inline int end_kept(struct pt_regs* regs, long result) {
  struct rd_kernel* kept = rd_kept_change_get();
  if (!kept) return 0;
  if (result == 0) {
    fill_call(kept, regs);
    send_change(kept, (__u64)RD_KERNEL_DATA + kept->base_bytes + kept->source_bytes + kept->name_bytes);
  }
  rd_kept_change_drop();
  return 1;
}

// For calls that never succeed without their hook. Whether there is nothing else to tell.
static __always_inline int end_hooked(struct pt_regs* regs, long result) {
  if (end_kept(regs, result) || result != 0) return 1;
  if (!is_tier_lsm) return 0;
  struct rd_head head = {};  // the hook found no room
  rd_fill_head(&head, RD_KERNEL, (struct task_struct*)bpf_get_current_task());
  rd_count_unsent(RD_LANE_CRITICAL, &head);
  return 1;
}

static __always_inline __u64 put_path_of(struct rd_kernel* record, __u64 at, struct path* path) {
  __u64 end = rd_put_path(RD_SLOT_EVENT, (__u64)BPF_CORE_READ(path, dentry), (__u64)BPF_CORE_READ(path, mnt), at,
                          RD_KERNEL_DATA + RD_KERNEL_BASE_END);
  record->base_bytes = end - at;
  return end;
}

// A text of the caller at byte `at`; nothing where it cannot be read.
static __always_inline __u64 put_user_text(struct rd_kernel* record, __u64 at, __u64 given, __u32 most, __u16* bytes) {
  if (!given || at > sizeof(*record) - most) return at;
  long size = bpf_probe_read_user_str((__u8*)record + at, most, (void*)given);
  if (size <= 0) return at;
  *bytes = size;
  return at + size;
}

// A mount point as it was given, behind the directory it is relative to.
static __always_inline __u64 put_mount_point(struct rd_kernel* record, __u64 at, int directory, __u64 given) {
  char first = 0;
  bpf_probe_read_user(&first, 1, (void*)given);
  struct task_struct* task = (struct task_struct*)bpf_get_current_task();
  struct fs_struct* fs = BPF_CORE_READ(task, fs);
  struct file* file = directory == RD_MOUNT_FROM_CWD ? 0 : rd_file_of(directory);
  if (first == '/') {
    at = put_path_of(record, at, &fs->root);
  } else if (file) {
    at = put_path_of(record, at, &file->f_path);
  } else {
    at = put_path_of(record, at, &fs->pwd);
  }
  return put_user_text(record, at, given, RD_TARGET_MAX, &record->target_bytes);
}

CALL_END(kernel_mount) {
  if (end_hooked(regs, result)) return 0;
  struct rd_kernel* record = begin_change(regs);
  if (!record) return 0;
  __u64 at = put_mount_point(record, RD_KERNEL_DATA, RD_MOUNT_FROM_CWD, rd_syscall_argument(regs, 1));
  at = put_user_text(record, at, rd_syscall_argument(regs, 0), RD_SOURCE_MAX, &record->source_bytes);
  at = put_user_text(record, at, rd_syscall_argument(regs, 2), RD_TEXT_MAX, &record->name_bytes);
  return send_change(record, at);
}

CALL_END(kernel_unmount) {
  if (end_hooked(regs, result)) return 0;
  struct rd_kernel* record = begin_change(regs);
  if (!record) return 0;
  return send_change(record, put_mount_point(record, RD_KERNEL_DATA, RD_MOUNT_FROM_CWD, rd_syscall_argument(regs, 0)));
}

CALL_END(kernel_move_mount) {
  if (end_hooked(regs, result)) return 0;
  struct rd_kernel* record = begin_change(regs);
  if (!record) return 0;
  __u64 at = put_mount_point(record, RD_KERNEL_DATA, rd_syscall_argument(regs, 2), rd_syscall_argument(regs, 3));
  at = put_user_text(record, at, rd_syscall_argument(regs, 1), RD_SOURCE_MAX, &record->source_bytes);
  return send_change(record, at);
}

// finit_module, kexec_file_load: the file behind the first argument, where the hook has not seen which was read: a
// module that is being loaded already is not read again.
CALL_END(kernel_from_file) {
  if (end_kept(regs, result) || result != 0) return 0;
  struct rd_kernel* record = begin_change(regs);
  if (!record) return 0;
  __u64 at = RD_KERNEL_DATA;
  struct file* file = rd_file_of(rd_syscall_argument(regs, 0));
  if (file) at = put_path_of(record, at, &file->f_path);
  return send_change(record, at);
}

CALL_END(kernel_delete_module) {
  if (result != 0) return 0;
  struct rd_kernel* record = begin_change(regs);
  if (!record) return 0;
  return send_change(
      record, put_user_text(record, RD_KERNEL_DATA, rd_syscall_argument(regs, 0), RD_TEXT_MAX, &record->name_bytes));
}

// What the kernel has loaded is behind the new descriptor.
CALL_END(kernel_bpf) {
  if (result < 0 || (__u32)rd_syscall_argument(regs, 0) != RD_BPF_PROG_LOAD) return 0;
  struct rd_kernel* record = begin_change(regs);
  if (!record) return 0;
  struct file* file = rd_file_of(result);
  if (!file) return send_change(record, RD_KERNEL_DATA);
  struct bpf_prog* program = BPF_CORE_READ(file, private_data);
  record->program_type = BPF_CORE_READ(program, type);
  struct bpf_prog_aux* more = BPF_CORE_READ(program, aux);
  long size = bpf_probe_read_kernel_str(record->data, sizeof(more->name), &more->name);
  if (size <= 0) size = 0;
  record->name_bytes = size;
  return send_change(record, RD_KERNEL_DATA + size);
}

// init_module, kexec_load, userfaultfd, io_uring_setup: that it was done says it all.
CALL_END(kernel_door) {
  if (result < 0) return 0;
  struct rd_kernel* record = begin_change(regs);
  return record ? send_change(record, RD_KERNEL_DATA) : 0;
}
