// The event store in ClickHouse: for fleets that one machine cannot keep. open_clickhouse_store() makes it; the same
// interface and answers as the embedded store.
//
// Its spool, here, is what an acknowledgement stands on. A hunt has what is in the spool sent before it looks; where
// that does not arrive, its answer is partial.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "store/events/event_store.h"

namespace redoubt::store {

struct ClickHouseOptions {
  std::string directory;  // of spool and ledger
  // Addresses (http://host:port/database): replicas of a shard separated by blanks, shards by commas.
  std::string servers;
  std::string cluster;  // what the servers' configuration calls it; empty: one server, not replicated
  std::string user = "default";
  std::string password_file;  // its first line; empty: none
  std::string ca_file;        // certificates that vouch for the servers; empty: the system's
  int64_t retention_us = 0;   // by whole days; 0: by size alone
  uint64_t disk_bytes_max = 0;
  uint64_t memory_bytes_max = uint64_t{4} << 30;  // of one hunt, there
  uint64_t block_events = 50'000;                 // events are sent when there are so many …
  int64_t block_age_us = 1'000'000;               // … or so long after the first
  uint64_t spool_bytes_max = uint64_t{16} << 30;  // past it append() fails with exhausted
  uint64_t free_bytes_min = uint64_t{512} << 20;
  int64_t quorum_ms_max = 30'000;  // how long other replicas may take to have a block; then it is sent again
  Upkeep upkeep = Upkeep::automatic;
};

// Opens the store; tables are made and migrated. Servers that do not answer are waited for later, but one of each shard
// has to be there the first time.
Result<std::unique_ptr<EventStore>> open_clickhouse_store(const ClickHouseOptions& options);

}  // namespace redoubt::store
