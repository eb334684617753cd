// Which days there are, as the servers keep them: a partition each. Any thread.
#pragma once

#include <vector>

#include "store/events/clickhouse/cluster.h"

namespace redoubt::store::clickhouse {

// What lies in one partition, over all shards.
struct DayParts {
  int64_t day = 0;  // since the epoch; one before query::sql::kLikelyDaysFrom holds events of unlikely times
  uint64_t rows = 0;
  uint64_t bytes = 0;
  uint64_t parts = 0;
};

// Oldest first.
Result<std::vector<DayParts>> list_days(Cluster& cluster);

}  // namespace redoubt::store::clickhouse
