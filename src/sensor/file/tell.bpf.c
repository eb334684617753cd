// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// The program behind the handlers of name.bpf.c and attribute.bpf.c: the record of what a call did, filled in and sent.
// In the lsm tier its security hook has found the paths. Otherwise, where no descriptor leads to the file, the record
// holds what the caller gave and the kernel's own path of the directory that it is relative to.
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "sensor/bpf/call_end.h"
#include "sensor/bpf/file_call.h"
#include "sensor/bpf/file_fill.h"
#include "sensor/bpf/file_found.h"
#include "sensor/bpf/resolved.h"
#include "sensor/bpf/unix_connect.h"

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
  record->error = call->error;
  if (call->action == RD_FILE_MKDIR || call->action == RD_FILE_MKNOD) {
    struct task_struct* task = (struct task_struct*)bpf_get_current_task();
    record->mode &= ~BPF_CORE_READ(task, fs, umask);
  }
  return record;
}

// What the caller gave: the end of it, or 0 if it cannot be read.
static __always_inline __u64 put_given(struct rd_file* record, const struct rd_file_call* call, __u64 at) {
  __u64 end = rd_file_put_given(at, call->directory_fd, call->path, 0);
  if (!end) return 0;
  if (call->action == RD_FILE_SYMLINK) return rd_file_put_text(record, end, call->to_path, 0, &record->to_given_bytes);
  return call->to_path ? rd_file_put_given(end, call->to_directory_fd, call->to_path, RD_GIVEN_TO) : end;
}

static __always_inline int tell_names(const struct rd_file_call* call, const struct rd_resolved* found) {
  if (found && found->is_excluded && rd_count_excluded(RD_FILE)) return 0;
  struct rd_file* record = begin(call);
  if (!record) return 0;
  __u64 at = RD_FILE_DATA;
  if (found) {
    rd_file_fill_found(record, found);
    at = rd_file_put_found(record, found);
  } else if (rd_file_given_is_excluded(RD_SLOT_EVENT, call->directory_fd, call->path)) {
    return 0;
  }
  __u64 end = put_given(record, call, at);
  if (!found) return end ? rd_file_send(RD_SLOT_EVENT, record, end) : 0;
  if (!end) rd_file_forget_given(record);
  return rd_file_send(RD_SLOT_EVENT, record, rd_file_put_found_to(record, found, end ? end : at));
}

static __always_inline int tell_file(const struct rd_file_call* call, struct file* file) {
  if (!file) return 0;
  __u32 policy = policy_now;
  if (rd_policy_has(policy, RD_PATH_EXCLUDED) &&
      rd_flags_of_path(RD_SLOT_EVENT, &file->f_path, policy) & RD_PATH_EXCLUDED && rd_count_excluded(RD_FILE))
    return 0;
  struct rd_file* record = begin(call);
  if (!record) return 0;
  rd_file_fill_inode(record, BPF_CORE_READ(file, f_inode));
  if (call->action == RD_FILE_OWNER) {  // an id of -1 leaves it, and the event says so by its absence
    record->uid = call->uid;
    record->gid = call->gid;
  }
  return rd_file_send(RD_SLOT_EVENT, record, rd_file_put_file(RD_SLOT_EVENT, record, file));
}

static __always_inline int tell_found(const struct rd_file_call* call, const struct rd_resolved* found) {
  struct rd_file* record = found->is_excluded && rd_count_excluded(RD_FILE) ? 0 : begin(call);
  if (!record) return 0;
  rd_file_fill_found(record, found);
  return rd_file_send(RD_SLOT_EVENT, record, rd_file_put_found(record, found));
}

// Another thread may have put another file behind the descriptor meanwhile; the hook saw the one that was meant.
static __always_inline int tell_descriptor(const struct rd_file_call* call, const struct rd_resolved* found) {
  return found ? tell_found(call, found) : tell_file(call, rd_file_of(call->descriptor));
}

static __always_inline int tell_connected(const struct rd_file_call* call) {
  struct socket* socket = rd_socket_of(call->descriptor);
  struct path* path = call->error ? 0 : rd_unix_path_of(socket);
  if (path && rd_is_excluded_path(RD_SLOT_EVENT, path)) return 0;
  struct rd_unix_name name = {.at = call->to_path, .bytes = call->length, .in = RD_ADDRESS_OF_CALLER};
  if (!path && !call->error) name = rd_unix_name_of(socket);
  struct rd_file* record = path || name.at ? begin(call) : 0;
  if (!record) return 0;
  return path ? rd_send_unix(RD_SLOT_EVENT, record, path) : rd_send_unix_name(RD_SLOT_EVENT, record, &name);
}

CALL_END(file_tell) {
  struct rd_file_call* call = rd_file_call_get();
  if (!call) return 0;
  const struct rd_resolved* found = rd_resolved_get(call->action);
  if (call->path) {
    tell_names(call, found);
  } else if (call->action == RD_FILE_CONNECT) {
    tell_connected(call);
  } else {
    tell_descriptor(call, found);
  }
  rd_resolved_drop();
  return 0;
}
