// A handler of a system call that changes a name or an attribute of a file, in a line: what the call does, and to which
// file. FILE_CALL is a statement to clang-format (.clang-format).
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "sensor/bpf/arch.h"
#include "sensor/bpf/call_end.h"
#include "sensor/bpf/file_call.h"

enum { RD_AT_FDCWD = -100 };

#define FILE_CALL(name, ...)                      \
  CALL_END(name) {                                \
    struct rd_file_call call = {__VA_ARGS__};     \
    return rd_file_call_tell(ctx, result, &call); \
  }

#define ARG(position) rd_syscall_argument(regs, position)
// What the call does where it sets no owner.
#define DEED(kind) .action = (kind), .uid = RD_ID_UNCHANGED, .gid = RD_ID_UNCHANGED
// The file: one that is OPEN, or its name, AT a directory or HERE; where there are two names, TO the second.
#define OPEN(number) .descriptor = (number)
#define AT(directory, name) .directory_fd = (directory), .path = (name)
#define HERE(name) AT(RD_AT_FDCWD, name)
#define TO(directory, name) .to_directory_fd = (directory), .to_path = (name)
