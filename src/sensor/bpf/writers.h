// Who has files open for writing that are followed (open_files.h): one load says of most processes that they have none.
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

enum { RD_WRITERS = 4096 };  // a power of two

// How many followed files the processes with a number, modulo RD_WRITERS, have opened.
volatile __u32 writers[RD_WRITERS] __weak = {};

static __always_inline volatile __u32* rd_writers_of(__u32 pid) { return &writers[pid & (RD_WRITERS - 1)]; }
