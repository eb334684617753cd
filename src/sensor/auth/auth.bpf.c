// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// What PAM, sshd, sudo, su and their kin say of logins to the system's log: datagrams of root on a local socket that
// begin with the facility auth or authpriv. Read where they leave the program, so that no log has to be found or
// trusted, and with the program that says so. Handler of the system call dispatcher.
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "sensor/auth/auth_record.h"
#include "sensor/bpf/actor.h"
#include "sensor/bpf/arch.h"
#include "sensor/bpf/call_end.h"
#include "sensor/bpf/kernel.h"
#include "sensor/bpf/lanes.h"
#include "sensor/bpf/rate.h"
#include "sensor/bpf/tuple.h"

// For layout_test.cc: brings the type into the BTF.
const struct rd_auth* rd_layout_auth __attribute__((unused));

char rd_license[] __weak SEC("license") = "Dual BSD/GPL";

enum { RD_AF_UNIX = 1, RD_AUTH_HEAD_BYTES = 4, RD_AUTH_LEAST_BYTES = 16 };

// "<32>" to "<39>" are of the facility auth, "<80>" to "<87>" of authpriv.
static __always_inline int is_of_auth(const char* head) {
  if (head[0] != '<' || head[3] != '>') return 0;
  return (head[1] == '3' && head[2] >= '2' && head[2] <= '9') || (head[1] == '8' && head[2] >= '0' && head[2] <= '7');
}

CALL_END(auth_sendto) {
  if (result < RD_AUTH_LEAST_BYTES) return 0;
  char head[RD_AUTH_HEAD_BYTES] = {};
  void* text = (void*)rd_syscall_argument(regs, 1);
  if (bpf_probe_read_user(head, sizeof(head), text) != 0 || !is_of_auth(head)) return 0;
  struct task_struct* task = (struct task_struct*)bpf_get_current_task();
  if (BPF_CORE_READ(task, cred, euid.val) != 0) return 0;
  struct socket* socket = rd_socket_of(rd_syscall_argument(regs, 0));
  if (!socket || BPF_CORE_READ(socket, sk, __sk_common.skc_family) != RD_AF_UNIX) return 0;
  struct rd_scratch* space = rd_scratch_get(RD_SLOT_EVENT);
  if (!space) return 0;
  struct rd_auth* record = (struct rd_auth*)space->bytes;
  rd_fill_head(&record->head, RD_AUTH, task);
  record->zero = 0;
  __u32 bytes = result < RD_AUTH_TEXT_BYTES ? result : RD_AUTH_TEXT_BYTES;
  record->text_bytes = bytes;
  if (bytes > RD_AUTH_TEXT_BYTES || bpf_probe_read_user(record->text, bytes, text) != 0) return 0;
  rd_send_security(&record->head, __builtin_offsetof(struct rd_auth, text) + bytes);
  return 0;
}
