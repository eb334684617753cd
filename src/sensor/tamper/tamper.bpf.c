// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Who sends the agent a signal that ends or stops it.
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "sensor/bpf/actor.h"
#include "sensor/bpf/kernel.h"
#include "sensor/bpf/kernel_security.h"
#include "sensor/bpf/rate.h"
#include "sensor/tamper/tamper_record.h"

// For layout_test.cc: brings the type into the BTF.
const struct rd_tamper* rd_layout_tamper __attribute__((unused));

char rd_license[] __weak SEC("license") = "Dual BSD/GPL";

// The kernel gives numbers in place of the description of a signal: 0 is one of the calling process without more, 1 one
// of the kernel itself.
enum { RD_SIGNAL_OF_KERNEL = 1 };

// The latest record of a signal that ends the agent before it can tell of it. Where the reader has it pinned it is
// there for the agent that comes after.
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct rd_tamper);
} last_words SEC(".maps");

// Signals that end, stop or crash a process unless it handles them: HUP, INT, QUIT, ILL, ABRT, BUS, FPE, KILL, SEGV,
// PIPE ALRM, TERM, STOP, TSTP. ALRM and PIPE are left out: the agent gets those from itself.
enum { RD_SIGKILL = 9 };
enum {
  RD_SIGNALS_OF_ENDS = 1u << 1 | 1u << 2 | 1u << 3 | 1u << 4 | 1u << 6 | 1u << 7 | 1u << 8 | 1u << 9 | 1u << 11 |
                       1u << 15 | 1u << 19 | 1u << 20,
};

SEC("tp_btf/signal_generate")
int BPF_PROG(tamper_signal, int number, struct kernel_siginfo* info, struct task_struct* target) {
  if (BPF_CORE_READ(target, tgid) != reader_tgid) return 0;
  if (number < 0 || number >= 32 || !(RD_SIGNALS_OF_ENDS >> number & 1)) return 0;
  if ((__u64)info == RD_SIGNAL_OF_KERNEL) return 0;
  // Above 0 stand the reasons that only the kernel gives, such as a fault of the process itself.
  if (info && BPF_CORE_READ(info, si_code) > 0) return 0;
  struct task_struct* task = (struct task_struct*)bpf_get_current_task();
  if (BPF_CORE_READ(task, tgid) == reader_tgid) return 0;
  struct rd_tamper record = {};
  rd_fill_head(&record.head, RD_TAMPER, task);
  struct task_struct* leader = BPF_CORE_READ(target, group_leader);
  record.target_start_ns = BPF_CORE_READ(leader, start_boottime);
  record.target_pid = BPF_CORE_READ(target, tgid);
  record.signal = number;
  __u32 zero = 0;
  if (number == RD_SIGKILL) bpf_map_update_elem(&last_words, &zero, &record, BPF_ANY);
  rd_send_security(&record.head, sizeof(record));
  return 0;
}
