// Runs hunts: what SQL to ask which server, and what became of its limits. Any thread.
#pragma once

#include <functional>
#include <string>

#include "store/events/clickhouse/cluster.h"

namespace redoubt::store::clickhouse {

class Hunter {
 public:
  Hunter(Cluster& cluster, const ClickHouseOptions& options) : cluster_(cluster), options_(options) {}

  Result<HuntResult> hunt(const query::Hunt& hunt, const HuntLimits& limits);
  Result<HuntResult> histogram(const query::Hunt& hunt, int64_t width_us, const HuntLimits& limits);
  // Every settings that a statement which reads events needs.
  Settings settings(int64_t time_ms_max) const;

 private:
  Cluster& cluster_;
  const ClickHouseOptions& options_;
};

}  // namespace redoubt::store::clickhouse
