// What is done for those who look after the store: figures, retention, verification.
#include <algorithm>

#include "base/time.h"
#include "query/sql/clickhouse_row.h"
#include "store/events/clickhouse/clickhouse_store.h"
#include "store/events/clickhouse/schema.h"
#include "store/events/limit.h"

namespace redoubt::store::clickhouse {

namespace {

namespace sql = query::sql;

constexpr int64_t kFiguresMs = 120'000;
constexpr int64_t kDropMs = 60'000;
constexpr int64_t kMergeMs = int64_t{3600} * 1000;

std::string date_text(int64_t day) { return "toDate(" + std::to_string(day) + ")"; }

// 'YYYY-MM-DD', the partition's name.
std::string partition_of(int64_t day) {
  return "'" + base::format_time(base::Time{day * sql::kDayUs}).substr(0, std::string_view("2026-01-01").size()) + "'";
}

Call figures_call(std::string text, int64_t time_ms_max = kFiguresMs) {
  return {.sql = std::move(text),
          .data = {},
          .settings = {{"max_execution_time", std::to_string(time_ms_max / 1000 + 1)}},
          .time_ms_max = time_ms_max,
          .cancelled = {},
          .sink = {}};
}

}  // namespace

Result<std::vector<DayParts>> ClickHouseStore::look_at_days() {
  TRY(std::vector<DayParts> days, list_days(*cluster_));
  uint64_t bytes = 0;
  for (const DayParts& day : days) bytes += day.bytes;
  table_bytes_ = bytes;
  table_days_ = days.size();
  return days;
}

// Whole days past the limits of age and size, oldest first.
std::vector<int64_t> ClickHouseStore::choose_expired(const std::vector<DayParts>& days) const {
  std::vector<DayParts> by_age = days;
  std::stable_sort(by_age.begin(), by_age.end(), [](const DayParts& a, const DayParts& b) {
    return sql::received_by(a.day) < sql::received_by(b.day);
  });
  uint64_t bytes = 0;
  for (const DayParts& day : days) bytes += day.bytes;
  const int64_t oldest_day = options_.retention_us > 0 ? sql::day_of(base::Time::now().us - options_.retention_us)
                                                       : std::numeric_limits<int64_t>::min();
  std::vector<int64_t> expired;
  for (const DayParts& day : by_age) {
    const bool too_much = options_.disk_bytes_max > 0 && bytes > options_.disk_bytes_max;
    if (sql::received_by(day.day) >= oldest_day && !too_much) break;
    bytes -= day.bytes;
    expired.push_back(day.day);
  }
  return expired;
}

Status ClickHouseStore::drop_day(int64_t day) {
  for (size_t shard = 0; shard < cluster_->shards().size(); ++shard) {
    TRY_STATUS(cluster_
                   ->call(shard, figures_call("ALTER TABLE " + std::string(rows_table(*cluster_)) + " DROP PARTITION " +
                                                  partition_of(day),
                                              kDropMs))
                   .map([](const std::string&) {}));
  }
  return {};
}

Result<size_t> ClickHouseStore::expire() {
  TRY(const std::vector<DayParts> days, look_at_days());
  const std::vector<int64_t> expired = choose_expired(days);
  for (const int64_t day : expired) TRY_STATUS(drop_day(day));
  if (!expired.empty()) TRY_STATUS(look_at_days().map([](const auto&) {}));
  return expired.size();
}

Result<StoreReport> ClickHouseStore::report() {
  TRY(const std::vector<DayParts> days, look_at_days());
  StoreReport report{.totals = stats()};
  for (const DayParts& day : days) {
    report.segment_events += day.rows;
    report.segments.push_back({.number = static_cast<uint64_t>(day.day),
                               .min_time_us = day.day * sql::kDayUs,
                               .max_time_us = (day.day + 1) * sql::kDayUs - 1,
                               .events = day.rows,
                               .bytes = day.bytes});
  }
  TRY(const Table kinds,
      cluster_->select(figures_call("SELECT event_type, toInt64(count()) AS events FROM " + std::string(kEventsTable) +
                                    " GROUP BY event_type ORDER BY events DESC, event_type")));
  for (const auto& row : kinds.rows) {
    const auto* name = std::get_if<std::string>(&row.at(0));
    report.kinds.emplace_back(name != nullptr ? *name : std::string(),
                              static_cast<uint64_t>(std::get<int64_t>(row.at(1))));
  }
  TRY(const Table times,
      cluster_->select(
          figures_call("SELECT min(event_time), max(event_time), toInt64(count()) FROM " + std::string(kEventsTable))));
  if (!times.rows.empty() && std::get<int64_t>(times.rows.front().at(2)) > 0) {
    report.first_event_us = std::get<int64_t>(times.rows.front().at(0));
    report.last_event_us = std::get<int64_t>(times.rows.front().at(1));
  }
  report.hosts = activity();
  std::stable_sort(report.hosts.begin(), report.hosts.end(),
                   [](const auto& a, const auto& b) { return a.events > b.events; });
  TRY(report.free_bytes, base::free_bytes(options_.directory));
  const std::lock_guard lock(ingest_mutex_);
  report.spool_files = spool_files_.size();
  return report;
}

// Reading every column is what compares the checksums that ClickHouse keeps with them.
Status ClickHouseStore::verify_day(const DayParts& day, const HuntLimits& limits) {
  Call call = figures_call("SELECT toInt64(count()) FROM " + std::string(kEventsTable) +
                               " WHERE day = " + date_text(day.day) + " AND NOT ignore(*)",
                           limits.time_ms_max);
  call.cancelled = limits.cancelled;
  TRY(const Table counted, cluster_->select(call));
  const auto rows = static_cast<uint64_t>(std::get<int64_t>(counted.rows.at(0).at(0)));
  // More came in meanwhile.
  if (rows >= day.rows) return {};
  return fail(Errc::corrupt, "it has " + std::to_string(rows) + " events of " + std::to_string(day.rows));
}

Status ClickHouseStore::verify_spool(VerifyReport& report) {
  // No file is removed meanwhile.
  const std::lock_guard send_lock(send_mutex_);
  std::map<uint64_t, uint64_t> files;
  {
    const std::lock_guard lock(ingest_mutex_);
    for (const auto& [number, file] : spool_files_) files[number] = spool_->bytes_in(number);
  }
  for (const auto& [number, bytes] : files) {
    uint64_t events = 0;
    const auto scanned = spool_->scan(number, bytes, [&](SpoolRecord record) -> Status {
      if (const auto* frame = std::get_if<SpooledFrame>(&record)) {
        if (decode_spooled(*frame) && number > sent_through_) events += frame->frame.events;
      }
      return {};
    });
    ++report.spool_files;
    report.bytes += bytes;
    report.events += events;
    const std::string what = "spool file " + spool_->path_of(number);
    if (!scanned) {
      report.damage.push_back({.what = what, .why = scanned.error().message});
    } else if (scanned->bytes_damaged > 0) {
      report.damage.push_back({.what = what, .why = std::to_string(scanned->bytes_damaged) + " bytes are damaged"});
    }
  }
  return {};
}

Result<VerifyReport> ClickHouseStore::verify(const HuntLimits& limits) {
  const Limit limit(limits);
  VerifyReport report;
  TRY(const std::vector<DayParts> days, look_at_days());
  for (const DayParts& day : days) {
    TRY_STATUS(limit.status("verify"));
    const Status sound = verify_day(day, limits);
    ++report.segments;
    report.bytes += day.bytes;
    if (sound) {
      report.events += day.rows;
      continue;
    }
    const bool away = sound.error().code == Errc::unavailable || sound.error().code == Errc::timeout;
    if (away) return tl::unexpected(sound.error());
    report.damage.push_back({.what = "day " + partition_of(day.day) + " in ClickHouse", .why = sound.error().message});
  }
  TRY_STATUS(verify_spool(report));
  if (const Status sound = ledger_->verify(); !sound) {
    report.damage.push_back({.what = "ledger", .why = sound.error().message});
  }
  return report;
}

// The servers merge by themselves; here they are made to, day by day.
Result<CompactReport> ClickHouseStore::compact(const HuntLimits& limits) {
  const Limit limit(limits);
  CompactReport report;
  TRY(const std::vector<DayParts> before, look_at_days());
  for (const DayParts& day : before) {
    report.segments_before += day.parts;
    report.bytes_before += day.bytes;
    if (day.parts <= cluster_->shards().size()) continue;
    TRY_STATUS(limit.status("compact"));
    for (size_t shard = 0; shard < cluster_->shards().size(); ++shard) {
      const auto merged = cluster_->call(shard, figures_call("OPTIMIZE TABLE " + std::string(rows_table(*cluster_)) +
                                                                 " PARTITION " + partition_of(day.day) + " FINAL",
                                                             kMergeMs));
      if (!merged) report.damage.push_back({.what = "day " + partition_of(day.day), .why = merged.error().message});
    }
  }
  TRY(const std::vector<DayParts> after, look_at_days());
  for (const DayParts& day : after) {
    report.segments_after += day.parts;
    report.bytes_after += day.bytes;
  }
  return report;
}

Result<StoreSnapshot> ClickHouseStore::snapshot() {
  return fail(Errc::unsupported,
              "events are in ClickHouse, of which this node cannot make a copy of one moment: back them up there");
}

}  // namespace redoubt::store::clickhouse
