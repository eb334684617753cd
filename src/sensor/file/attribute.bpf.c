// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Permissions, owners and lengths that are set, by descriptor or by path. Handlers of the system call dispatcher.
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "sensor/bpf/file_handler.h"

char rd_license[] __weak SEC("license") = "Dual BSD/GPL";

enum { RD_AT_SYMLINK_NOFOLLOW = 0x100 };

// An id of 16 bits; its -1 is the other's.
static __always_inline __u32 wide_id(__u64 id) { return (__u16)id == 0xffff ? RD_ID_UNCHANGED : (__u16)id; }

#define MODE(bits) DEED(RD_FILE_PERMISSION), .mode = (bits) & 07777
#define OWNER(user, group) .action = RD_FILE_OWNER, .uid = (user), .gid = (group)
#define LENGTH(bytes) DEED(RD_FILE_TRUNCATE), .length = (bytes)

FILE_CALL(file_chmod, MODE(ARG(1)), HERE(ARG(0)))
FILE_CALL(file_fchmod, MODE(ARG(1)), OPEN(ARG(0)))
FILE_CALL(file_fchmodat, MODE(ARG(2)), AT(ARG(0), ARG(1)))
FILE_CALL(file_fchmodat2, MODE(ARG(2)), AT(ARG(0), ARG(1)), .flags = ARG(3))

FILE_CALL(file_chown, OWNER(ARG(1), ARG(2)), HERE(ARG(0)))
FILE_CALL(file_lchown, OWNER(ARG(1), ARG(2)), HERE(ARG(0)), .flags = RD_AT_SYMLINK_NOFOLLOW)
FILE_CALL(file_fchown, OWNER(ARG(1), ARG(2)), OPEN(ARG(0)))
FILE_CALL(file_fchownat, OWNER(ARG(2), ARG(3)), AT(ARG(0), ARG(1)), .flags = ARG(4))

FILE_CALL(file_truncate, LENGTH(ARG(1)), HERE(ARG(0)))
FILE_CALL(file_ftruncate, LENGTH(ARG(1)), OPEN(ARG(0)))

// i386: ids of 16 bits, lengths of two words.
FILE_CALL(file_chown_16, OWNER(wide_id(ARG(1)), wide_id(ARG(2))), HERE(ARG(0)))
FILE_CALL(file_lchown_16, OWNER(wide_id(ARG(1)), wide_id(ARG(2))), HERE(ARG(0)), .flags = RD_AT_SYMLINK_NOFOLLOW)
FILE_CALL(file_fchown_16, OWNER(wide_id(ARG(1)), wide_id(ARG(2))), OPEN(ARG(0)))
FILE_CALL(file_truncate_64, LENGTH(ARG(1) | ARG(2) << 32), HERE(ARG(0)))
FILE_CALL(file_ftruncate_64, LENGTH(ARG(1) | ARG(2) << 32), OPEN(ARG(0)))
