#include "store/events/clickhouse/days.h"

#include <map>

#include "store/events/clickhouse/schema.h"

namespace redoubt::store::clickhouse {

namespace {

constexpr int64_t kListMs = 30'000;

}  // namespace

Result<std::vector<DayParts>> list_days(Cluster& cluster) {
  std::map<int64_t, DayParts> days;
  for (size_t shard = 0; shard < cluster.shards().size(); ++shard) {
    TRY(const Table found,
        cluster.select(shard,
                       {.sql = "SELECT toInt64(toUInt16(toDate(partition))), toInt64(sum(rows)), "
                               "toInt64(sum(bytes_on_disk)), toInt64(count()) FROM system.parts WHERE active AND "
                               "database = currentDatabase() AND table = '" +
                               std::string(rows_table(cluster)) + "' GROUP BY partition",
                        .data = {},
                        .settings = {},
                        .time_ms_max = kListMs,
                        .cancelled = {},
                        .sink = {}}));
    for (const auto& row : found.rows) {
      const auto number = [&](size_t column) { return std::get<int64_t>(row.at(column)); };
      DayParts& day = days[number(0)];
      day.day = number(0);
      day.rows += static_cast<uint64_t>(number(1));
      day.bytes += static_cast<uint64_t>(number(2));
      day.parts += static_cast<uint64_t>(number(3));
    }
  }
  std::vector<DayParts> all;
  for (const auto& [number, day] : days) all.push_back(day);
  return all;
}

}  // namespace redoubt::store::clickhouse
