// From the handler of a system call to the program that tells it: handlers only note what the call was given, and jump.
// So the verifier goes through the walks of paths for one program, and not for thirty. A program that jumps calls no
// functions (before Linux 5.10 it must not): what one would need both for is two programs.
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "sensor/bpf/policy.h"
#include "sensor/bpf/resolved.h"
#include "sensor/file/file_record.h"

struct rd_file_call {
  __u32 action;
  __u32 flags;
  __u32 mode;
  __u32 uid;
  __u32 gid;
  __u32 device;
  __u64 length;
  int descriptor;  // of the file, where no path is given
  int directory_fd;
  __u64 path;
  int to_directory_fd;
  __u32 error;
  __u64 to_path;  // 0: there is but one
};

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct rd_file_call);
} file_call __weak SEC(".maps");

// As kTellers in syscall/syscall_table.h.
enum rd_teller { RD_TELL_FILE = 0, RD_TELL_CONNECT = 1, RD_TELL_SOCKETCALL = 2, RD_TELLERS = 3 };

struct {
  __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
  __uint(max_entries, RD_TELLERS);
  __type(key, __u32);
  __type(value, __u32);
} tellers __weak SEC(".maps");

static __always_inline struct rd_file_call* rd_file_call_get(void) {
  __u32 zero = 0;
  return bpf_map_lookup_elem(&file_call, &zero);
}

// Returns only if there is nothing to tell, because the call failed, the policy does not want it, or the program is not
// there.
static __always_inline int rd_file_call_tell(void* ctx, long result, const struct rd_file_call* given) {
  int is_off = actions_off >> given->action & 1;
  struct rd_file_call* call = result == 0 && !is_off ? rd_file_call_get() : 0;
  if (!call) {
    rd_resolved_drop();
    return 0;
  }
  *call = *given;
  bpf_tail_call(ctx, &tellers, RD_TELL_FILE);
  return 0;
}
