// What the tools of the event store answer: what there is, what is damaged, what was exported. Values.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.h"

namespace redoubt::store {

// A host's events: for the hosts page and for `store stats`.
struct HostActivity {
  std::string host_id;
  uint64_t events = 0;       // stored, all time
  uint64_t events_lost = 0;  // declared lost, all time
  int64_t last_event_us = 0;
};

struct StoreStats {
  uint64_t events = 0;  // taken, all time
  uint64_t segments = 0;
  uint64_t segment_bytes = 0;  // with indexes
  uint64_t spool_bytes = 0;
  uint64_t tail_events = 0;
};

struct SegmentReport {
  uint64_t number = 0;
  int64_t min_time_us = 0;
  int64_t max_time_us = 0;
  uint64_t events = 0;
  uint64_t bytes = 0;
  uint64_t index_bytes = 0;
  int64_t sealed_us = 0;
};

struct StoreReport {
  StoreStats totals;
  uint64_t segment_events = 0;
  uint64_t index_bytes = 0;
  uint64_t spool_files = 0;
  uint64_t free_bytes = 0;  // of the disk
  int64_t first_event_us = 0;
  int64_t last_event_us = 0;                            // both 0: there are no events
  std::vector<std::pair<std::string, uint64_t>> kinds;  // of events that are there, by the indexes; most first
  uint64_t events_of_unknown_kind = 0;                  // in segments whose index is missing
  std::vector<HostActivity> hosts;                      // most events first
  std::vector<SegmentReport> segments;                  // oldest first
};

struct Damage {
  std::string what;  // "segment /data/events/segments/12.parquet"
  std::string why;
};

struct VerifyReport {
  uint64_t segments = 0;
  uint64_t indexes = 0;
  uint64_t spool_files = 0;
  uint64_t events = 0;  // in segments and spooled frames that are sound
  uint64_t bytes = 0;   // that were read
  std::vector<Damage> damage;
};

struct CompactReport {
  uint64_t segments_before = 0;
  uint64_t segments_after = 0;
  uint64_t bytes_before = 0;
  uint64_t bytes_after = 0;
  std::vector<Damage> damage;  // segments that could not be merged, and stay as they are
};

// What was moved from one store to another.
struct MoveReport {
  uint64_t hosts = 0;
  uint64_t events = 0;              // that the other store holds of theirs now
  uint64_t events_moved = 0;        // by this call alone
  std::vector<Damage> left_behind;  // what could not be read
  std::string kept;                 // where the first store's files are now
};

struct SnapshotFile {
  std::string path;
  std::string name;       // below the store's directory
  uint64_t checksum = 0;  // that it should have; 0: not known
};

// All of a store at one moment. The files stay as they are as long as `hold` is held.
struct StoreSnapshot {
  std::vector<SnapshotFile> files;
  uint64_t events = 0;
  std::shared_ptr<const void> hold;
};

enum class ExportFormat : uint8_t { csv, json_lines, parquet };
// "csv", "jsonl", "parquet".
std::optional<ExportFormat> export_format_named(std::string_view name);

struct Exported {
  base::UniqueFd file;  // whole, at its beginning; it has no name
  uint64_t rows = 0;
  uint64_t bytes = 0;
  bool partial = false;  // segments that are damaged are not in it
  std::string partial_why;
};

}  // namespace redoubt::store
