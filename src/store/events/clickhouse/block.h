// A block: the new events of one spool file as rows of ClickHouse, the same bytes whenever it is made, so that one that
// is sent again is known there. One thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "store/events/clickhouse/cluster.h"
#include "store/events/intake.h"

namespace redoubt::store::clickhouse {

// How far the events of all hosts are in ClickHouse: what blocks are made after.
struct Sent {
  std::map<BootKey, uint64_t> sequences;
  std::map<std::string, HostActivity> hosts;
};

struct BlockHead {
  uint64_t node = 0;    // which node
  uint64_t number = 0;  // that of the spool file
  int64_t received_day = 0;
};

// What goes to one shard: rows by day, in RowBinary.
struct ShardRows {
  std::map<int64_t, std::string> by_day;
  std::map<int64_t, uint64_t> counts;
};

class BlockMaker {
 public:
  // `before`: what was sent in the blocks before it.
  BlockMaker(const Cluster& cluster, const BlockHead& head, const Sent& before);

  void add(const SpooledFrame& frame);
  const std::vector<ShardRows>& shards() const { return shards_; }
  // What of `before` it changes.
  const Sent& changed() const { return changed_; }

 private:
  const Cluster& cluster_;
  const BlockHead head_;
  const Sent& before_;
  Sent changed_;
  std::vector<ShardRows> shards_;
};

// "node, block, …": of the rows.
std::string column_names();

}  // namespace redoubt::store::clickhouse
