// Small segments become larger ones in the background: what hunts pay a file, and what late events and short-lived
// tails leave behind.
#include <algorithm>
#include <numeric>

#include "base/log.h"
#include "base/time.h"
#include "store/events/embedded/embedded_store.h"
#include "store/events/embedded/segment_writer.h"
#include "store/events/plan.h"

namespace redoubt::store::embedded {

namespace {

constexpr size_t kMergeFilesMin = 4;    // by itself
constexpr size_t kCompactFilesMin = 2;  // when it is asked to
constexpr size_t kMergeFilesMax = 32;
constexpr int64_t kMergeSpanUs = 24 * 3600 * base::kSecondUs;  // a segment that is merged spans at most so much

// The columns of a segment as rows of a memtable.
Status load(DuckSession& session, const Segment& segment, Memtable& table) {
  std::vector<event::Field> fields;
  std::string columns;
  for (const event::FieldInfo& info : event::kFields) {
    if (!has_field(segment.fields, info.field)) continue;
    fields.push_back(info.field);
    columns += (columns.empty() ? "" : ", ") + std::string(info.column);
  }
  const auto put = [&](const std::vector<Cell>& row) {
    for (size_t i = 0; i < fields.size(); ++i) {
      if (const auto* text = std::get_if<std::string>(&row[i])) table.put(fields[i], *text);
      if (const auto* number = std::get_if<int64_t>(&row[i])) table.put(fields[i], *number);
    }
    table.finish_row();
  };
  return session.each_row(
      {.text = "SELECT " + columns + " FROM read_parquet(" + sql_quoted(segment.path) + ", hive_partitioning=false)",
       .parameters = {}},
      put);
}

}  // namespace

// Small segments that follow each other in the order in which retention takes them, whose events fit one segment: a
// merge over a segment between them would let retention take that first, and leave older events behind.
std::vector<std::shared_ptr<const Segment>> EmbeddedStore::choose_merge(size_t files_min) {
  auto segments = current_segments();
  std::sort(segments.begin(), segments.end(),
            [](const auto& a, const auto& b) { return a->info.age_mark_us() < b->info.age_mark_us(); });
  std::vector<std::shared_ptr<const Segment>> chosen;
  const auto fits = [&](const SegmentInfo& next) {
    uint64_t rows = next.rows;
    int64_t begin_us = next.min_time_us;
    for (const auto& each : chosen) {
      rows += each->info.rows;
      begin_us = std::min(begin_us, each->info.min_time_us);
    }
    return rows <= options_.seal_events && chosen.size() < kMergeFilesMax &&
           next.max_time_us - begin_us <= kMergeSpanUs;
  };
  for (const auto& segment : segments) {
    if (segment->damage_reported) continue;
    const bool small = segment->info.rows <= options_.seal_events / 2;
    if (!small || !fits(segment->info)) {
      if (chosen.size() >= files_min) break;
      chosen.clear();
    }
    if (small) chosen.push_back(segment);
  }
  if (chosen.size() < files_min) chosen.clear();
  return chosen;
}

Result<size_t> EmbeddedStore::merge() { return merge(kMergeFilesMin); }

Result<CompactReport> EmbeddedStore::compact(const HuntLimits& limits) {
  const Limit limit(limits);
  const StoreStats before = stats();
  CompactReport report{.segments_before = before.segments, .bytes_before = before.segment_bytes};
  while (true) {
    TRY_STATUS(limit.status("compact"));
    auto merged = merge(kCompactFilesMin);
    if (!merged && merged.error().code != Errc::corrupt) return tl::unexpected(std::move(merged).error());
    if (!merged) {
      report.damage.push_back({.what = "a segment that is to be merged", .why = merged.error().message});
    } else if (*merged == 0) {
      break;
    }
  }
  const StoreStats after = stats();
  report.segments_after = after.segments;
  report.bytes_after = after.segment_bytes;
  return report;
}

// A segment that cannot be read is `corrupt`, and left out from then on.
Result<size_t> EmbeddedStore::merge(size_t files_min) {
  const std::lock_guard seal_lock(seal_mutex_);
  const auto parts = choose_merge(files_min);
  if (parts.empty()) return 0;
  Memtable table;
  TRY(const auto session, duck_->connect());
  int64_t sealed_us = 0;
  std::vector<uint64_t> numbers;
  for (const auto& part : parts) {
    const size_t before = table.rows();
    Status loaded = load(*session, *part, table);
    if (loaded && table.rows() - before != part->info.rows) loaded = fail(Errc::corrupt, "rows are missing");
    if (!loaded) {
      // It stays as it is, and hunts say so; the others are merged without it.
      part->damage_reported = true;
      return fail(Errc::corrupt, "merge segment " + std::to_string(part->info.number) + ": " + loaded.error().message);
    }
    sealed_us = std::max(sealed_us, part->info.sealed_us);
    numbers.push_back(part->info.number);
  }
  std::vector<uint32_t> rows(table.rows());
  std::iota(rows.begin(), rows.end(), 0);
  rows = sorted_rows(table, std::move(rows));
  const uint64_t number = next_segment_++;
  TRY(SegmentInfo info, base::within("merge into segment " + std::to_string(number),
                                     write_segment(table, rows, number, segment_path(number))));
  info.sealed_us = sealed_us;
  TRY_STATUS(manifest_->replace(numbers, info));
  replace_segments(parts, std::make_shared<const Segment>(info, segment_path(number)));
  base::log_info("store",
                 "merged " + std::to_string(parts.size()) + " segments into segment " + std::to_string(number));
  return parts.size();
}

// Hunts that run hold the old files until they end.
void EmbeddedStore::replace_segments(const std::vector<std::shared_ptr<const Segment>>& old,
                                     std::shared_ptr<const Segment> fresh) {
  const std::lock_guard lock(view_mutex_);
  std::erase_if(segments_,
                [&](const auto& segment) { return std::find(old.begin(), old.end(), segment) != old.end(); });
  if (fresh) segments_.push_back(std::move(fresh));
  for (const auto& segment : old) segment->expired = true;
}

}  // namespace redoubt::store::embedded
