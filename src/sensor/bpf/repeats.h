// What a process does to the same file in the same way again is not told each time: the first is, those of the second
// that follows are counted, and the reader's look over the counts (change.bpf.c) tells them as one. What has no room
// here is told each time.
//
// A count is exact: programs touch it until the second is over, the look does once they all have left.
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "sensor/bpf/lanes.h"
#include "sensor/bpf/walk.h"
#include "sensor/file/file_record.h"

enum {
  RD_REPEATS_MAX = 4096,
  RD_REPEAT_DATA_BYTES = 512,  // records with longer texts are told each time
  RD_REPEAT_WINDOW_NS = 1000 * 1000 * 1000,
  RD_REPEAT_REST_NS = 10 * 1000 * 1000,  // longer than a program runs
  RD_REPEAT_HEAD_BYTES = __builtin_offsetof(struct rd_file, data),
  // Of files that are there. What is made or taken away is another each time.
  RD_REPEATABLE = 1 << RD_FILE_READ | 1 << RD_FILE_WRITE | 1 << RD_FILE_CHANGE | 1 << RD_FILE_PERMISSION |
                  1 << RD_FILE_OWNER | 1 << RD_FILE_TRUNCATE | 1 << RD_FILE_DENIED | 1 << RD_FILE_CONNECT,
};

struct rd_repeat_key {
  __u64 start_ns;  // of the process
  __u64 inode;
  __u64 text;  // hash of all paths, of the user and of the program
  __u32 pid;
  __u32 action;
  __u32 flags;
  __u32 mode;
  __u32 uid;
  __u32 gid;
};

struct rd_repeat {
  __u64 first_ns;
  __u64 last_ns;
  __u64 size;   // of the file, by the last
  __u64 count;  // since the first
  __u64 bytes;  // of the record of the first
  __u64 record[(RD_REPEAT_HEAD_BYTES + RD_REPEAT_DATA_BYTES) / 8];
};

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, RD_REPEATS_MAX);
  __type(key, struct rd_repeat_key);
  __type(value, struct rd_repeat);
} repeats __weak SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, RD_SLOTS);
  __type(key, __u32);
  __type(value, struct rd_repeat);
} repeat_scratch __weak SEC(".maps");

// Set before loading: whether the reader can look over the counts, and what nobody can guess.
const volatile __u32 counts_repeats __weak = 0;
const volatile __u64 repeat_seed __weak = 0;
// The rows of `repeats`.
volatile __u32 repeats_held __weak = 0;
// 1 once no program counts any more: the look tells all.
volatile __u32 repeats_end __weak = 0;

static __always_inline __u64 rd_stir(__u64 hash, __u64 word) {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
  return hash ^ hash >> 29;
}

// The words of the texts, the last one filled up with zeros.
static __always_inline __u64 rd_hash_texts(struct rd_file* record, __u64 bytes) {
  const __u64* words = (const __u64*)record->data;
  __u64 zero = 0;
  bpf_probe_read_kernel(&record->data[bytes], sizeof(zero), &zero);
  __u64 hash = rd_stir(repeat_seed, bytes);
  for (__u32 i = 0; i < RD_REPEAT_DATA_BYTES / 8; i++) {
    if (i * 8 >= bytes) break;
    hash = rd_stir(hash, words[i]);
  }
  return hash;
}

static __always_inline void rd_fill_repeat_key(struct rd_repeat_key* key, struct rd_file* record, __u64 bytes) {
  const struct rd_actor* actor = &record->head.actor;
  const __u64* comm = (const __u64*)actor->comm;
  __u64 text = rd_stir(rd_hash_texts(record, bytes), (__u64)actor->uid << 32 | actor->euid);
  text = rd_stir(rd_stir(text, comm[0]), comm[1]);
  text = rd_stir(text, (__u64)record->path_bytes << 32 | record->base_bytes << 16 | record->given_bytes);
  *key = (struct rd_repeat_key){.start_ns = actor->start_ns,
                                .inode = record->inode,
                                .text = text,
                                .pid = actor->pid,
                                .action = record->action,
                                .flags = record->flags,
                                .mode = record->mode,
                                .uid = record->uid,
                                .gid = record->gid};
}

static __always_inline void rd_keep_first(__u32 slot, const struct rd_repeat_key* key, const struct rd_file* record,
                                          __u64 end) {
  struct rd_repeat* first = bpf_map_lookup_elem(&repeat_scratch, &slot);
  if (!first || end > sizeof(first->record)) return;
  first->first_ns = record->head.time_ns;
  first->last_ns = first->first_ns;
  first->size = record->size;
  first->count = 0;
  first->bytes = end;
  bpf_probe_read_kernel(first->record, end, record);
  if (bpf_map_update_elem(&repeats, key, first, BPF_NOEXIST) == 0) __sync_fetch_and_add(&repeats_held, 1);
}

// Whether the record in the scratch space, of `end` bytes, is counted and so not to be sent.
RD_WALK __u64 rd_count_repeat(__u32 slot, __u64 end) {
  struct rd_file* record = rd_scratch_get(slot);
  if (!record || !counts_repeats || !(RD_REPEATABLE >> (record->action & 31) & 1)) return 0;
  __u64 bytes = end - RD_REPEAT_HEAD_BYTES;
  if (bytes >= RD_REPEAT_DATA_BYTES) return 0;
  struct rd_repeat_key key;
  rd_fill_repeat_key(&key, record, bytes);
  struct rd_repeat* known = bpf_map_lookup_elem(&repeats, &key);
  if (!known) {
    rd_keep_first(slot, &key, record, end);
    return 0;
  }
  if (record->head.time_ns - known->first_ns >= RD_REPEAT_WINDOW_NS) return 0;  // the look is late
  known->last_ns = record->head.time_ns;
  known->size = record->size;
  __sync_fetch_and_add(&known->count, 1);
  return 1;
}

// For the look: what was counted under the key is told if its second is over.
static __always_inline void rd_settle_repeat(__u32 slot, const struct rd_repeat_key* key) {
  struct rd_repeat* known = bpf_map_lookup_elem(&repeats, key);
  struct rd_repeat* kept = bpf_map_lookup_elem(&repeat_scratch, &slot);
  if (!known || !kept) return;
  __u64 now_ns = bpf_ktime_get_boot_ns();
  if (!repeats_end && now_ns - known->first_ns < RD_REPEAT_WINDOW_NS + RD_REPEAT_REST_NS) return;
  bpf_probe_read_kernel(kept, sizeof(*kept), known);
  if (bpf_map_delete_elem(&repeats, key) != 0) return;
  __sync_fetch_and_add(&repeats_held, -1);
  __u64 bytes = kept->bytes;
  if (!kept->count || bytes > sizeof(kept->record)) return;
  struct rd_file* record = (struct rd_file*)kept->record;
  record->head.time_ns = now_ns;
  record->count = kept->count;
  record->size = kept->size;
  rd_send(&ring_bulk, RD_LANE_BULK, &record->head, bytes);
}
