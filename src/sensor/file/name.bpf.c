// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Names of files: made, linked, moved, taken away. Handlers of the system call dispatcher.
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "sensor/bpf/descriptor.h"
#include "sensor/bpf/file_handler.h"

char rd_license[] __weak SEC("license") = "Dual BSD/GPL";

enum { RD_AT_REMOVEDIR = 0x200 };

FILE_CALL(file_unlink, DEED(RD_FILE_DELETE), HERE(ARG(0)))
FILE_CALL(file_unlinkat, DEED(ARG(2) & RD_AT_REMOVEDIR ? RD_FILE_RMDIR : RD_FILE_DELETE), AT(ARG(0), ARG(1)))
FILE_CALL(file_rmdir, DEED(RD_FILE_RMDIR), HERE(ARG(0)))

FILE_CALL(file_rename, DEED(RD_FILE_RENAME), HERE(ARG(0)), TO(RD_AT_FDCWD, ARG(1)))
FILE_CALL(file_renameat, DEED(RD_FILE_RENAME), AT(ARG(0), ARG(1)), TO(ARG(2), ARG(3)))
FILE_CALL(file_renameat2, DEED(RD_FILE_RENAME), AT(ARG(0), ARG(1)), TO(ARG(2), ARG(3)), .flags = ARG(4))

FILE_CALL(file_link, DEED(RD_FILE_LINK), HERE(ARG(0)), TO(RD_AT_FDCWD, ARG(1)))
FILE_CALL(file_linkat, DEED(RD_FILE_LINK), AT(ARG(0), ARG(1)), TO(ARG(2), ARG(3)), .flags = ARG(4))
// The text of the link is the second path.
FILE_CALL(file_symlink, DEED(RD_FILE_SYMLINK), HERE(ARG(1)), .to_path = ARG(0))
FILE_CALL(file_symlinkat, DEED(RD_FILE_SYMLINK), AT(ARG(1), ARG(2)), .to_path = ARG(0))

FILE_CALL(file_mkdir, DEED(RD_FILE_MKDIR), HERE(ARG(0)), .mode = RD_S_IFDIR | ARG(1))
FILE_CALL(file_mkdirat, DEED(RD_FILE_MKDIR), AT(ARG(0), ARG(1)), .mode = RD_S_IFDIR | ARG(2))
FILE_CALL(file_mknod, DEED(RD_FILE_MKNOD), HERE(ARG(0)), .mode = ARG(1), .device = ARG(2))
FILE_CALL(file_mknodat, DEED(RD_FILE_MKNOD), AT(ARG(0), ARG(1)), .mode = ARG(2), .device = ARG(3))
