// The manifest: which segments there are and how far each host's events are in them. One SQLite transaction makes a
// segment part of the store. Any thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "store/events/event_store.h"
#include "store/events/intake.h"
#include "store/state/state_db.h"

namespace redoubt::store::embedded {

struct SegmentInfo {
  uint64_t number = 0;
  int64_t min_time_us = 0;
  int64_t max_time_us = 0;
  uint64_t rows = 0;
  uint64_t bytes = 0;        // of the Parquet file
  uint64_t index_bytes = 0;  // of the file beside it; 0: there is none
  uint64_t checksum = 0;     // XXH3-64 of the Parquet file; 0: written before there were any
  std::string columns;       // blank-separated, as the file has them
  int64_t sealed_us = 0;

  // When its events count as written: never later than the seal, whatever clock a host had. Retention takes segments in
  // this order.
  int64_t age_mark_us() const { return std::min(max_time_us, sealed_us); }
};

// What a seal changes: the absolute figures as they stood when the tail was cut.
struct Sealed {
  std::vector<SegmentInfo> segments;
  std::map<BootKey, uint64_t> sequences;
  std::map<std::string, HostActivity> hosts;
};

class Manifest {
 public:
  static Result<std::unique_ptr<Manifest>> open(const std::string& path);

  Result<std::vector<SegmentInfo>> segments();
  Result<std::map<BootKey, uint64_t>> sequences();
  Result<std::map<std::string, HostActivity>> hosts();

  Status add(const Sealed& sealed);
  Status remove(const std::vector<uint64_t>& segments);
  // A copy of it, to a path where there is nothing.
  Status backup(const std::string& path);
  // corrupt where the database is damaged.
  Status verify();
  // One segment takes the place of others.
  Status replace(const std::vector<uint64_t>& segments, const SegmentInfo& fresh);

 private:
  explicit Manifest(std::unique_ptr<StateDb> db) : db_(std::move(db)) {}
  std::unique_ptr<StateDb> db_;
};

}  // namespace redoubt::store::embedded
