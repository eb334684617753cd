// Records of the file source, for both sides.
#pragma once

#include "sensor/bpf/record.h"

enum rd_file_action { RD_FILE_CREATE = 1, RD_FILE_WRITE = 2, RD_FILE_RENAME = 3, RD_FILE_DELETE = 4 };

enum {
  RD_GIVEN_PATH_MAX = 4096,
  // The parts of `data`: see rd_file. Ends as in process_record.h.
  RD_FIRST_END = 4096,
  RD_SECOND_END = RD_FIRST_END + 256 + RD_GIVEN_PATH_MAX + 4096,
  RD_FILE_DATA_BYTES = RD_SECOND_END + 512 + RD_GIVEN_PATH_MAX,
};

struct rd_file {
  struct rd_head head;
  __u64 inode;  // create and write only, as is size
  __u64 size;
  __u32 action;
  __u32 zero;
  // create, write: directory_bytes is the whole path, leaf first, as the kernel knows it.
  // rename, delete: the path that the caller gave (given) and the directory it is relative to, leaf first. For an
  // absolute path that is the caller's root. `to_` is the new name of a rename.
  __u16 directory_bytes;
  __u16 given_bytes;
  __u16 to_directory_bytes;
  __u16 to_given_bytes;
  __u8 data[RD_FILE_DATA_BYTES];
};

RD_ASSERT(__builtin_offsetof(struct rd_file, data) == 112, "both sides");
