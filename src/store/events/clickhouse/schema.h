// The tables: made, and brought to what this version needs, on every server. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "store/events/clickhouse/cluster.h"

namespace redoubt::store::clickhouse {

// What hunts read: on one server the table itself, in a cluster all shards.
constexpr std::string_view kEventsTable = "events";
// Where rows are: kEventsTable on one server; in a cluster what each server has of its shard.
std::string_view rows_table(const Cluster& cluster);

struct SchemaColumn {
  std::string name;
  std::string type;
};
// In the order in which rows are sent. `node` and `block` say which node sent a row, and in which block.
std::vector<SchemaColumn> schema_columns();

// Applies to the server the migrations that it lacks, and adds columns of fields that are new.
Status migrate(const Cluster& cluster, size_t shard, size_t replica);

}  // namespace redoubt::store::clickhouse
