// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// What changes the kernel, in the lsm tier: where something is mounted, what is mounted and which file is loaded, as
// the kernel has it and not as the caller's memory and descriptors have it after the call.
#include "sensor/bpf/function.h"

#include "sensor/bpf/arch.h"
#include "sensor/bpf/claim.h"
#include "sensor/bpf/kept_change.h"
#include "sensor/bpf/path.h"

char rd_license[] __weak SEC("license") = "Dual BSD/GPL";

_Static_assert(sizeof(struct rd_kernel) <= RD_SCRATCH_BYTES, "fits the scratch space");

// enum kernel_read_file_id of linux/kernel_read_file.h.
enum { RD_READING_MODULE = 2, RD_READING_KEXEC_IMAGE = 3 };

struct change {
  __u64 dentry;  // of the mount point or file
  __u64 mount;
  const char* source;  // 0: none
  const char* type;
  __u64 user_source;  // in the caller's memory
};

static __always_inline __u64 put_text(struct rd_kernel* kept, __u64 at, const char* text, __u32 most, __u16* bytes) {
  if (!text || at > sizeof(*kept) - most) return at;
  long size = bpf_probe_read_kernel_str((__u8*)kept + at, most, text);
  if (size <= 0) return at;
  *bytes = size;
  return at + size;
}

static __always_inline __u64 put_user_source(struct rd_kernel* kept, __u64 at, __u64 text) {
  if (!text || at > sizeof(*kept) - RD_SOURCE_MAX) return at;
  long size = bpf_probe_read_user_str((__u8*)kept + at, RD_SOURCE_MAX, (void*)text);
  if (size <= 0) return at;
  kept->source_bytes = size;
  return at + size;
}

static __always_inline void fill(struct rd_kernel* kept, __u32 slot, const struct change* change) {
  kept->program_type = 0;
  kept->target_bytes = 0;
  kept->source_bytes = 0;
  kept->name_bytes = 0;
  kept->zero = 0;
  __u64 at = rd_put_path(slot, change->dentry, change->mount, RD_KERNEL_DATA, RD_KERNEL_DATA + RD_KERNEL_BASE_END);
  kept->base_bytes = at - RD_KERNEL_DATA;
  at = put_text(kept, at, change->source, RD_SOURCE_MAX, &kept->source_bytes);
  at = put_user_source(kept, at, change->user_source);
  put_text(kept, at, change->type, RD_TEXT_MAX, &kept->name_bytes);
}

// Without a slot or room what the call does is counted as lost, at its end.
static __always_inline int keep(const struct change* change) {
  __u32 slot = rd_slot_claim();
  if (slot >= RD_SLOTS) return 0;
  struct rd_kernel* kept = rd_scratch_get(slot);
  if (kept) {
    __u64 thread = bpf_get_current_pid_tgid();
    fill(kept, slot, change);
    if (bpf_map_update_elem(&kept_changes, &thread, kept, BPF_ANY) != 0) rd_kept_change_drop();
  }
  rd_slot_release(slot);
  return 0;
}

#define OF(path) .dentry = (__u64)BPF_CORE_READ(path, dentry), .mount = (__u64)BPF_CORE_READ(path, mnt)

SEC("fentry/security_sb_mount")
int BPF_PROG(kernel_hook_mount, const char* source, const struct path* path, const char* type) {
  struct change change = {OF(path), .source = (void*)rd_number(source), .type = (void*)rd_number(type)};
  return keep(&change);
}

SEC("fentry/security_sb_umount")
int BPF_PROG(kernel_hook_unmount, struct vfsmount* mount) {
  struct change change = {.dentry = (__u64)BPF_CORE_READ(mount, mnt_root), .mount = rd_number(mount)};
  return keep(&change);
}

SEC("fentry/security_move_mount")
int BPF_PROG(kernel_hook_move_mount, const struct path* from, const struct path* to) {
  struct change change = {OF(to), .user_source = rd_syscall_argument(rd_entry_registers(), 1)};
  return keep(&change);
}

SEC("fentry/security_kernel_read_file")
int BPF_PROG(kernel_hook_read_file, struct file* file, int id) {
  if (id != RD_READING_MODULE && id != RD_READING_KEXEC_IMAGE) return 0;
  const struct path* path = __builtin_preserve_access_index(&file->f_path);
  struct change change = {OF(path)};
  return keep(&change);
}
