// Records of the file source, for both sides.
#pragma once

#include "sensor/bpf/record.h"

enum rd_file_action {
  RD_FILE_CREATE = 1,
  RD_FILE_WRITE = 2,
  RD_FILE_RENAME = 3,
  RD_FILE_DELETE = 4,
  RD_FILE_READ = 5,
  RD_FILE_CHANGE = 6,
  RD_FILE_MKDIR = 7,
  RD_FILE_RMDIR = 8,
  RD_FILE_LINK = 9,
  RD_FILE_SYMLINK = 10,
  RD_FILE_PERMISSION = 11,
  RD_FILE_OWNER = 12,
  RD_FILE_TRUNCATE = 13,
  RD_FILE_MKNOD = 14,
  RD_FILE_DENIED = 15,   // an open, for want of permission
  RD_FILE_CONNECT = 16,  // to the socket that has the path, or the name
};

enum {
  RD_GIVEN_PATH_MAX = 4096,
  // The parts of `data`: see rd_file. Ends as in process_record.h.
  RD_PATH_END = 4096,
  RD_BASE_END = RD_PATH_END + 256 + 4096,
  RD_TO_BASE_END = RD_BASE_END + 256 + RD_GIVEN_PATH_MAX + 4096,
  RD_FILE_DATA_BYTES = RD_TO_BASE_END + 512 + RD_GIVEN_PATH_MAX + 256 + 4096,
  RD_UNIX_NAME = 1,  // flag of RD_FILE_CONNECT: `given` is the name of an abstract socket, without its first zero
  RD_UNIX_NAME_BYTES = 107,
  RD_ID_UNCHANGED = 0xffffffff,  // uid or gid of a call that leaves it
};

struct rd_file {
  struct rd_head head;
  __u64 inode;  // 0 where the file is known by its name only; size, mode and owner then are what the call asked for
  __u64 size;
  __u32 action;
  __u32 count;  // happenings that the record stands for, at least 1
  __u32 flags;  // O_* of an open, AT_* or RENAME_* of other calls, RD_UNIX_NAME
  __u32 mode;   // type and permission bits
  __u32 uid;
  __u32 gid;
  __u32 device;           // of a device node, as mknod() takes it
  __u32 mount_namespace;  // of the caller: its inode number in nsfs
  // Parts of `data`, in this order, any may be absent:
  __u16 path_bytes;   // the file, leaf first, as the kernel knows it
  __u16 base_bytes;   // what `given` is relative to, leaf first; of an absolute path that is the caller's root
  __u16 given_bytes;  // the path that the caller gave, with its NUL; or a name
  // The new name of a rename or link; the text of a symbolic link has no base.
  __u16 to_base_bytes;
  __u16 to_given_bytes;
  __u16 to_path_bytes;  // the new name, leaf first, as the kernel knows it
  __u16 error;          // of an open or a connection that was denied
  __u16 zero;
  __u8 data[RD_FILE_DATA_BYTES];
};

RD_ASSERT(__builtin_offsetof(struct rd_file, data) == 144, "both sides");
