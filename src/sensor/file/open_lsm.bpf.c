// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Files that are created or opened, in the lsm tier: told where the kernel has opened them, before the caller has the
// descriptor, whether by a system call or through io_uring. Nobody can put another file in its place by then, and the
// path that the caller gave is the kernel's copy.
#include "sensor/bpf/function.h"

#include "sensor/bpf/claim.h"
#include "sensor/bpf/file_fill.h"
#include "sensor/bpf/file_open.h"
#include "sensor/bpf/kernel_hooks.h"
#include "sensor/bpf/open_files.h"

char rd_license[] __weak SEC("license") = "Dual BSD/GPL";

enum { RD_FMODE_EXEC = 0x20 };

struct opening {
  struct filename* name;  // 0: no path
  int directory_fd;
  __u32 flags;
};

// The kernel's copy of the path.
static __always_inline __u64 given_to(const struct opening* opening) {
  struct filename* name = opening->name;
  return name ? (__u64)BPF_CORE_READ(name, name) : 0;
}

// That stands in the arguments of the call alone.
static __always_inline __u32 closes_on_exec(const struct opening* opening) {
  struct filename* name = opening->name;
  __u64 user_given = name ? (__u64)BPF_CORE_READ(name, uptr) : 0;
  struct rd_open_call call = rd_open_call_of(rd_entry_registers());
  return call.given == user_given ? call.flags & RD_O_CLOEXEC : 0;
}

static __always_inline void tell(__u32 slot, struct file* file, const struct opening* opening) {
  __u32 action = rd_open_action(slot, file, arguments_have_types);
  if (!action) return;
  rd_clear_place(slot, action, file);
  int is_off = actions_off >> action & 1;
  if ((is_off && !rd_is_followed(action)) || rd_file_is_silent(slot)) return;
  struct rd_file* record = rd_file_begin_in(slot, action);
  if (!record) return;
  __u64 end = rd_put_opened(slot, record, file, opening->flags | closes_on_exec(opening));
  rd_follow_file(slot, record, file, -1);
  if (is_off) return;
  __u64 given = given_to(opening);
  __u64 claimed = given ? rd_file_put_given_in(slot, end, opening->directory_fd, given, RD_GIVEN_IN_KERNEL) : 0;
  if (!claimed) rd_file_forget_given(record);
  rd_file_send(slot, record, claimed ? claimed : end);
}

// A program that is started is opened too, and told as a start.
static __always_inline int tell_opened(struct file* file, const struct opening* opening) {
  if (opening->flags & RD_FMODE_EXEC) return 0;
  __u32 slot = rd_slot_claim();
  if (slot < RD_SLOTS) {
    tell(slot, file, opening);
    rd_slot_release(slot);
    return 0;
  }
  return BPF_CORE_READ(file, f_mode) & (RD_FMODE_WRITE | RD_FMODE_CREATED) ? rd_file_count_unsent() : 0;
}

static __always_inline void tell_denied_in(__u32 slot, const struct opening* opening, long error) {
  struct rd_file* record = rd_file_is_silent(slot) ? 0 : rd_file_begin_in(slot, RD_FILE_DENIED);
  if (!record) return;
  record->flags = opening->flags | closes_on_exec(opening);
  record->error = error;
  __u64 end = rd_file_put_given_in(slot, RD_FILE_DATA, opening->directory_fd, given_to(opening), RD_GIVEN_IN_KERNEL);
  if (end) rd_file_send(slot, record, end);
}

static __always_inline int tell_denied(const struct opening* opening, long result) {
  if (!rd_is_denied_open(result) || opening->flags & RD_FMODE_EXEC) return 0;
  __u32 slot = rd_slot_claim();
  if (slot >= RD_SLOTS) return rd_file_count_unsent();
  tell_denied_in(slot, opening, -result);
  rd_slot_release(slot);
  return 0;
}

SEC("fexit/do_filp_open")
int BPF_PROG(file_opened, int directory_fd, struct filename* name, const struct open_flags* flags, struct file* file) {
  struct opening opening = {
      .name = name, .directory_fd = directory_fd, .flags = rd_read_at(arguments_have_types, flags, open_flag)};
  return rd_is_error(file) ? tell_denied(&opening, (long)rd_number(file)) : tell_opened(file, &opening);
}

SEC("fexit/do_file_open_root")
int BPF_PROG(file_opened_by_handle, const struct path* root, const char* name, const struct open_flags* flags,
             struct file* file) {
  struct opening opening = {.flags = rd_read_at(arguments_have_types, flags, open_flag)};
  return rd_is_error(file) ? 0 : tell_opened(file, &opening);
}
