// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Permissions, owners and lengths that are set, by descriptor or by path. Handlers of the system call dispatcher.
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "sensor/bpf/arch.h"
#include "sensor/bpf/file_call.h"

char rd_license[] __weak SEC("license") = "Dual BSD/GPL";

enum { RD_AT_FDCWD = -100, RD_AT_SYMLINK_NOFOLLOW = 0x100 };

// An id of 16 bits; its -1 is the other's.
static __always_inline __u32 wide_id(__u64 id) { return (__u16)id == 0xffff ? RD_ID_UNCHANGED : (__u16)id; }

#define ARG(position) rd_syscall_argument(regs, position)
#define MODE(bits) .action = RD_FILE_PERMISSION, .mode = (bits) & 07777, .uid = RD_ID_UNCHANGED, .gid = RD_ID_UNCHANGED
#define OWNER(user, group) .action = RD_FILE_OWNER, .uid = (user), .gid = (group)
#define LENGTH(bytes) .action = RD_FILE_TRUNCATE, .uid = RD_ID_UNCHANGED, .gid = RD_ID_UNCHANGED, .length = (bytes)
#define OF_PATH(directory, name) .directory_fd = (directory), .path = (name)
#define TELL(...)                                 \
  {                                               \
    struct rd_file_call call = {__VA_ARGS__};     \
    return rd_file_call_tell(ctx, result, &call); \
  }
#define TELL_PATH(...) TELL(__VA_ARGS__)
#define TELL_DESCRIPTOR(number, ...) TELL(.descriptor = (number), __VA_ARGS__)

SEC("tp_btf/sys_exit")
int BPF_PROG(file_chmod, struct pt_regs* regs, long result) TELL_PATH(MODE(ARG(1)), OF_PATH(RD_AT_FDCWD, ARG(0)))

    SEC("tp_btf/sys_exit") int BPF_PROG(file_fchmod, struct pt_regs* regs, long result) TELL_DESCRIPTOR(ARG(0),
                                                                                                        MODE(ARG(1)))

        SEC("tp_btf/sys_exit") int BPF_PROG(file_fchmodat, struct pt_regs* regs,
                                            long result) TELL_PATH(MODE(ARG(2)), OF_PATH(ARG(0), ARG(1)))

            SEC("tp_btf/sys_exit") int BPF_PROG(file_fchmodat2, struct pt_regs* regs, long result)
                TELL_PATH(MODE(ARG(2)), OF_PATH(ARG(0), ARG(1)), .flags = ARG(3))

                    SEC("tp_btf/sys_exit") int BPF_PROG(file_chown, struct pt_regs* regs, long result)
                        TELL_PATH(OWNER(ARG(1), ARG(2)), OF_PATH(RD_AT_FDCWD, ARG(0)))

                            SEC("tp_btf/sys_exit") int BPF_PROG(file_lchown, struct pt_regs* regs,
                                                                long result) TELL_PATH(OWNER(ARG(1), ARG(2)),
                                                                                       OF_PATH(RD_AT_FDCWD, ARG(0)),
                                                                                       .flags = RD_AT_SYMLINK_NOFOLLOW)

                                SEC("tp_btf/sys_exit") int BPF_PROG(file_fchown, struct pt_regs* regs, long result)
                                    TELL_DESCRIPTOR(ARG(0), OWNER(ARG(1), ARG(2)))

                                        SEC("tp_btf/sys_exit") int BPF_PROG(file_fchownat, struct pt_regs* regs,
                                                                            long result)
                                            TELL_PATH(OWNER(ARG(2), ARG(3)), OF_PATH(ARG(0), ARG(1)), .flags = ARG(4))

                                                SEC("tp_btf/sys_exit") int BPF_PROG(file_truncate, struct pt_regs* regs,
                                                                                    long result)
                                                    TELL_PATH(LENGTH(ARG(1)), OF_PATH(RD_AT_FDCWD, ARG(0)))

                                                        SEC("tp_btf/sys_exit") int BPF_PROG(file_ftruncate,
                                                                                            struct pt_regs* regs,
                                                                                            long result)
                                                            TELL_DESCRIPTOR(ARG(0), LENGTH(ARG(1)))

    // i386: ids of 16 bits, lengths of two words.
    SEC("tp_btf/sys_exit") int BPF_PROG(file_chown_16, struct pt_regs* regs, long result)
        TELL_PATH(OWNER(wide_id(ARG(1)), wide_id(ARG(2))), OF_PATH(RD_AT_FDCWD, ARG(0)))

            SEC("tp_btf/sys_exit") int BPF_PROG(file_lchown_16, struct pt_regs* regs, long result)
                TELL_PATH(OWNER(wide_id(ARG(1)), wide_id(ARG(2))), OF_PATH(RD_AT_FDCWD, ARG(0)),
                          .flags = RD_AT_SYMLINK_NOFOLLOW)

                    SEC("tp_btf/sys_exit") int BPF_PROG(file_fchown_16, struct pt_regs* regs, long result)
                        TELL_DESCRIPTOR(ARG(0), OWNER(wide_id(ARG(1)), wide_id(ARG(2))))

                            SEC("tp_btf/sys_exit") int BPF_PROG(file_truncate_64, struct pt_regs* regs, long result)
                                TELL_PATH(LENGTH(ARG(1) | ARG(2) << 32), OF_PATH(RD_AT_FDCWD, ARG(0)))

                                    SEC("tp_btf/sys_exit") int BPF_PROG(file_ftruncate_64, struct pt_regs* regs,
                                                                        long result)
                                        TELL_DESCRIPTOR(ARG(0), LENGTH(ARG(1) | ARG(2) << 32))
