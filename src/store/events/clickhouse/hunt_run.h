// One hunt while it runs: its limits, and what it could not read. One thread.
#pragma once

#include <chrono>
#include <string>

#include "store/events/clickhouse/hunter.h"

namespace redoubt::store::clickhouse {

class HuntRun {
 public:
  HuntRun(Cluster& cluster, const Hunter& hunter, const HuntLimits& limits)
      : cluster_(cluster),
        hunter_(hunter),
        limits_(limits),
        deadline_(std::chrono::steady_clock::now() + std::chrono::milliseconds(limits.time_ms_max)) {}

  Cluster& cluster() { return cluster_; }
  // What the statement gives, of all shards that are there.
  Result<Table> select(std::string sql);
  // A limit ended it: what was found so far is the answer.
  bool stopped_by(const Error& error);
  void finish(HuntResult& result) const;

 private:
  Cluster& cluster_;
  const Hunter& hunter_;
  const HuntLimits& limits_;
  const std::chrono::steady_clock::time_point deadline_;
  bool shard_missing_ = false;
  std::vector<std::string> why_partial_;
};

// Events in an order: the keys of those that are shown first, then what is shown of them. The hunt has no aggregate.
Result<HuntResult> find_events(HuntRun& run, const query::Hunt& hunt);

}  // namespace redoubt::store::clickhouse
