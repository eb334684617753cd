// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// The stages behind the handlers of name.bpf.c and attribute.bpf.c: the record of what a call did, filled in and sent.
// Where no descriptor leads to the file, the record holds what the caller gave and the kernel's own path of the
// directory that it is relative to.
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "sensor/bpf/file_call.h"
#include "sensor/bpf/file_fill.h"

char rd_license[] __weak SEC("license") = "Dual BSD/GPL";

static __always_inline struct rd_file* begin(const struct rd_file_call* call) {
  struct rd_file* record = rd_file_begin(call->action);
  if (!record) return 0;
  record->flags = call->flags;
  record->mode = call->mode;
  record->uid = call->uid;
  record->gid = call->gid;
  record->device = call->device;
  record->size = call->length;
  return record;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(file_tell_path, struct pt_regs* regs, long result) {
  struct rd_file_call* call = rd_file_call_get();
  struct rd_file* record = call ? begin(call) : 0;
  if (!record) return 0;
  if (call->action == RD_FILE_MKDIR || call->action == RD_FILE_MKNOD) {
    struct task_struct* task = (struct task_struct*)bpf_get_current_task();
    record->mode &= ~BPF_CORE_READ(task, fs, umask);
  }
  __u64 end = rd_file_put_given(RD_FILE_DATA, call->directory_fd, call->path, 0);
  if (!end) return 0;
  if (call->action == RD_FILE_SYMLINK) {
    end = rd_file_put_text(record, end, call->to_path, &record->to_given_bytes);
  } else if (call->to_path) {
    end = rd_file_put_given(end, call->to_directory_fd, call->to_path, 1);
  }
  return end ? rd_file_send(record, end) : 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(file_tell_descriptor, struct pt_regs* regs, long result) {
  struct rd_file_call* call = rd_file_call_get();
  struct file* file = call ? rd_file_of(call->descriptor) : 0;
  if (!file) return 0;
  __u32 policy = policy_now;
  if (rd_policy_has(policy, RD_PATH_EXCLUDED) && rd_flags_of_path(&file->f_path, policy) & RD_PATH_EXCLUDED) return 0;
  struct rd_file* record = begin(call);
  if (!record) return 0;
  rd_file_fill_inode(record, BPF_CORE_READ(file, f_inode));
  if (call->action == RD_FILE_OWNER) {  // an id of -1 leaves it, and the event says so by its absence
    record->uid = call->uid;
    record->gid = call->gid;
  }
  return rd_file_send(record, rd_file_put_file(record, file));
}
