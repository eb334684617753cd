// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Files that are created or opened. What counts is the file behind the new descriptor; the path that the caller gave
// goes with it as a claim. Handlers of the system call dispatcher.
#define RD_READS_IN_PLACE
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "sensor/bpf/arch.h"
#include "sensor/bpf/call_end.h"
#include "sensor/bpf/file_call.h"
#include "sensor/bpf/file_fill.h"
#include "sensor/bpf/file_open.h"
#include "sensor/bpf/open_files.h"

// For layout_test.cc: brings the types into the BTF.
const struct rd_file* rd_layout_file __attribute__((unused));

char rd_license[] __weak SEC("license") = "Dual BSD/GPL";

// An open that failed. There is no file; what the caller gave is all that is known.
CALL_END(file_denied) {
  if (!rd_is_denied_open(result)) return 0;
  struct rd_open_call call = rd_open_call_of(regs);
  if (!call.given) return 0;
  struct rd_file_call denied = {.action = RD_FILE_DENIED,
                                .flags = call.flags,
                                .uid = RD_ID_UNCHANGED,
                                .gid = RD_ID_UNCHANGED,
                                .directory_fd = call.directory_fd,
                                .path = call.given,
                                .error = -result};
  return rd_file_call_tell(ctx, 0, &denied);
}

// The dispatcher does not look by which entry a call with the number of openat() came: it is another by the i386 one.
// To ask for the task is what costs, and that is done here anyway.
static __always_inline struct file* opened_by(struct pt_regs* regs, long result) {
  if (!rd_has_typed_task()) return rd_file_of(result);
  struct task_struct* task = bpf_get_current_task_btf();
  if (task->thread_info.status & RD_X86_TS_COMPAT && rd_syscall_number(regs) == RD_OPENAT) return 0;
  return rd_file_of_task(task, result);
}

// open, openat, openat2, creat, open_by_handle_at.
CALL_END(file_open) {
  struct file* file = opened_by(regs, result);
  if (!file) return 0;
  const int in_place = rd_reads_in_place();
  __u32 action = rd_open_action(RD_SLOT_EVENT, in_place ? rd_file_in_place(file) : file, in_place);
  if (!action) return 0;
  rd_clear_place(RD_SLOT_EVENT, action, file);
  struct rd_file* record = rd_file_begin(action);
  if (!record) return 0;
  struct rd_open_call call = rd_open_call_of(regs);
  __u64 end = rd_put_opened(RD_SLOT_EVENT, record, file, call.flags);
  rd_follow_file(RD_SLOT_EVENT, record, file, result);
  __u64 claimed = call.given ? rd_file_put_given(end, call.directory_fd, call.given, 0) : 0;
  if (!claimed) rd_file_forget_given(record);
  return rd_file_send(RD_SLOT_EVENT, record, claimed ? claimed : end);
}
