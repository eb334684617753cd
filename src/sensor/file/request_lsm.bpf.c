// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Names and lengths that change through io_uring: a request is at its end when its function returns. What the caller
// gave is not there to be read by then; the paths that the hooks kept (name_lsm.bpf.c) are. A request that would have
// to wait fails with EAGAIN and is carried out again, by a worker.
#include "sensor/bpf/function.h"

#include "sensor/bpf/claim.h"
#include "sensor/bpf/file_fill.h"
#include "sensor/bpf/file_found.h"
#include "sensor/bpf/kernel_hooks.h"
#include "sensor/bpf/resolved.h"
#include "sensor/bpf/truncating.h"

char rd_license[] __weak SEC("license") = "Dual BSD/GPL";

static __always_inline void tell(__u32 slot, const struct rd_resolved* found) {
  struct rd_file* record = rd_file_is_silent(slot) ? 0 : rd_file_begin_in(slot, found->action);
  if (!record) return;
  struct task_struct* task = (struct task_struct*)bpf_get_current_task();
  // Of what is made; the kernel knows that of what is there.
  record->mode = found->mode & ~BPF_CORE_READ(task, fs, umask);
  rd_file_fill_found(record, found);
  rd_file_send(slot, record, rd_file_put_found_to(record, found, rd_file_put_found(record, found)));
}

static __always_inline int tell_request(struct io_kiocb* request, int result) {
  __u64 thread = bpf_get_current_pid_tgid();
  struct rd_resolved* found = bpf_map_lookup_elem(&resolved, &thread);
  if (!found) return 0;
  int is_done = result == 0 && BPF_CORE_READ(request, cqe.res) == 0;
  if (is_done && !(found->is_excluded && rd_count_excluded(RD_FILE))) {
    __u32 slot = rd_slot_claim();
    if (slot < RD_SLOTS) {
      tell(slot, found);
      rd_slot_release(slot);
    } else {
      rd_file_count_unsent();
    }
  }
  rd_resolved_drop();
  return 0;
}

SEC("fexit/io_unlinkat")
int BPF_PROG(file_request_unlink, struct io_kiocb* request, unsigned int flags, int result) {
  return tell_request(request, result);
}

SEC("fexit/io_renameat")
int BPF_PROG(file_request_rename, struct io_kiocb* request, unsigned int flags, int result) {
  return tell_request(request, result);
}

SEC("fexit/io_linkat")
int BPF_PROG(file_request_link, struct io_kiocb* request, unsigned int flags, int result) {
  return tell_request(request, result);
}

SEC("fexit/io_symlinkat")
int BPF_PROG(file_request_symlink, struct io_kiocb* request, unsigned int flags, int result) {
  return tell_request(request, result);
}

SEC("fexit/io_mkdirat")
int BPF_PROG(file_request_mkdir, struct io_kiocb* request, unsigned int flags, int result) {
  return tell_request(request, result);
}

SEC("fentry/io_ftruncate")
int BPF_PROG(file_request_truncate, struct io_kiocb* request) {
  __u64 thread = bpf_get_current_pid_tgid();
  __u8 mark = 1;
  bpf_map_update_elem(&truncating, &thread, &mark, BPF_ANY);
  return 0;
}

SEC("fexit/io_ftruncate")
int BPF_PROG(file_request_truncated, struct io_kiocb* request, unsigned int flags, int result) {
  __u64 thread = bpf_get_current_pid_tgid();
  bpf_map_delete_elem(&truncating, &thread);
  return tell_request(request, result);
}
