// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Names of files: made, linked, moved, taken away. Handlers of the system call dispatcher.
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "sensor/bpf/arch.h"
#include "sensor/bpf/descriptor.h"
#include "sensor/bpf/file_call.h"

char rd_license[] __weak SEC("license") = "Dual BSD/GPL";

enum { RD_AT_FDCWD = -100, RD_AT_REMOVEDIR = 0x200 };

#define ARG(position) rd_syscall_argument(regs, position)
// Of one name, HERE or AT a directory; the rest of what is given follows.
#define HERE(name) .uid = RD_ID_UNCHANGED, .gid = RD_ID_UNCHANGED, .directory_fd = RD_AT_FDCWD, .path = (name)
#define AT(directory, name) .uid = RD_ID_UNCHANGED, .gid = RD_ID_UNCHANGED, .directory_fd = (directory), .path = (name)
#define TO(directory, name) .to_directory_fd = (directory), .to_path = (name)
#define TELL(kind, ...)                                          \
  {                                                              \
    struct rd_file_call call = {.action = kind, __VA_ARGS__};    \
    return rd_file_call_tell(ctx, result, &call); \
  }

SEC("tp_btf/sys_exit")
int BPF_PROG(file_unlink, struct pt_regs* regs, long result) TELL(RD_FILE_DELETE, HERE(ARG(0)))

    SEC("tp_btf/sys_exit") int BPF_PROG(file_unlinkat, struct pt_regs* regs, long result)
        TELL(ARG(2) & RD_AT_REMOVEDIR ? RD_FILE_RMDIR : RD_FILE_DELETE, AT(ARG(0), ARG(1)))

            SEC("tp_btf/sys_exit") int BPF_PROG(file_rmdir, struct pt_regs* regs, long result) TELL(RD_FILE_RMDIR,
                                                                                                    HERE(ARG(0)))

                SEC("tp_btf/sys_exit") int BPF_PROG(file_rename, struct pt_regs* regs, long result)
                    TELL(RD_FILE_RENAME, HERE(ARG(0)), TO(RD_AT_FDCWD, ARG(1)))

                        SEC("tp_btf/sys_exit") int BPF_PROG(file_renameat, struct pt_regs* regs, long result)
                            TELL(RD_FILE_RENAME, AT(ARG(0), ARG(1)), TO(ARG(2), ARG(3)))

                                SEC("tp_btf/sys_exit") int BPF_PROG(file_renameat2, struct pt_regs* regs, long result)
                                    TELL(RD_FILE_RENAME, AT(ARG(0), ARG(1)), TO(ARG(2), ARG(3)), .flags = ARG(4))

                                        SEC("tp_btf/sys_exit") int BPF_PROG(file_link, struct pt_regs* regs,
                                                                            long result)
                                            TELL(RD_FILE_LINK, HERE(ARG(0)), TO(RD_AT_FDCWD, ARG(1)))

                                                SEC("tp_btf/sys_exit") int BPF_PROG(file_linkat, struct pt_regs* regs,
                                                                                    long result)
                                                    TELL(RD_FILE_LINK, AT(ARG(0), ARG(1)), TO(ARG(2), ARG(3)),
                                                         .flags = ARG(4))

    // The text of the link is the second path.
    SEC("tp_btf/sys_exit") int BPF_PROG(file_symlink, struct pt_regs* regs,
                                        long result) TELL(RD_FILE_SYMLINK, HERE(ARG(1)), .to_path = ARG(0))

        SEC("tp_btf/sys_exit") int BPF_PROG(file_symlinkat, struct pt_regs* regs,
                                            long result) TELL(RD_FILE_SYMLINK, AT(ARG(1), ARG(2)), .to_path = ARG(0))

            SEC("tp_btf/sys_exit") int BPF_PROG(file_mkdir, struct pt_regs* regs, long result)
                TELL(RD_FILE_MKDIR, HERE(ARG(0)), .mode = RD_S_IFDIR | ARG(1))

                    SEC("tp_btf/sys_exit") int BPF_PROG(file_mkdirat, struct pt_regs* regs, long result)
                        TELL(RD_FILE_MKDIR, AT(ARG(0), ARG(1)), .mode = RD_S_IFDIR | ARG(2))

                            SEC("tp_btf/sys_exit") int BPF_PROG(file_mknod, struct pt_regs* regs, long result)
                                TELL(RD_FILE_MKNOD, HERE(ARG(0)), .mode = ARG(1), .device = ARG(2))

                                    SEC("tp_btf/sys_exit") int BPF_PROG(file_mknodat, struct pt_regs* regs, long result)
                                        TELL(RD_FILE_MKNOD, AT(ARG(0), ARG(1)), .mode = ARG(2), .device = ARG(3))
