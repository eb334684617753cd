// What there is: of the manifest, the indexes and the tail; no segment is read.
#include <algorithm>
#include <map>

#include "store/events/embedded/embedded_store.h"

namespace redoubt::store::embedded {

namespace {

void count_tail(const TailPart& tail, std::map<std::string, uint64_t>& kinds) {
  for (size_t row = 0; row < tail.rows; ++row) {
    const uint32_t text = tail.table->text_number(row, event::Field::event_type);
    ++kinds[text == kNoText ? std::string() : std::string(tail.table->text_table().text(text))];
  }
}

void take_time(StoreReport& report, int64_t first_us, int64_t last_us) {
  const bool none = report.first_event_us == 0 && report.last_event_us == 0;
  report.first_event_us = none ? first_us : std::min(report.first_event_us, first_us);
  report.last_event_us = none ? last_us : std::max(report.last_event_us, last_us);
}

}  // namespace

void EmbeddedStore::count_kinds(StoreReport& report) {
  std::map<std::string, uint64_t> kinds;
  const View view = seen_view();
  for (const SegmentPart& part : view.segments) {
    const auto index = part.segment->index();
    if (index == nullptr || index->minutes().empty()) {
      report.events_of_unknown_kind += part.segment->info.rows;
      continue;
    }
    for (const MinuteCount& count : index->minutes()) {
      kinds[std::string(event::name_of(static_cast<event::EventType>(count.type)))] += count.events;
    }
  }
  for (const TailPart& tail : view.tails) {
    count_tail(tail, kinds);
    for (size_t row = 0; row < tail.rows; ++row) {
      const int64_t time_us = tail.table->number(row, event::Field::event_time);
      take_time(report, time_us, time_us);
    }
  }
  report.kinds.assign(kinds.begin(), kinds.end());
  std::stable_sort(report.kinds.begin(), report.kinds.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
}

Result<StoreReport> EmbeddedStore::report() {
  StoreReport report{.totals = stats()};
  for (const auto& segment : current_segments()) {
    const SegmentInfo& info = segment->info;
    report.segment_events += info.rows;
    report.index_bytes += info.index_bytes;
    take_time(report, info.min_time_us, info.max_time_us);
    report.segments.push_back({.number = info.number,
                               .min_time_us = info.min_time_us,
                               .max_time_us = info.max_time_us,
                               .events = info.rows,
                               .bytes = info.bytes,
                               .index_bytes = info.index_bytes,
                               .sealed_us = info.sealed_us});
  }
  std::sort(report.segments.begin(), report.segments.end(),
            [](const auto& a, const auto& b) { return a.min_time_us < b.min_time_us; });
  count_kinds(report);
  report.hosts = activity();
  std::stable_sort(report.hosts.begin(), report.hosts.end(),
                   [](const auto& a, const auto& b) { return a.events > b.events; });
  TRY(report.free_bytes, base::free_bytes(options_.directory));
  const std::lock_guard lock(ingest_mutex_);
  report.spool_files = spool_files_.size();
  return report;
}

}  // namespace redoubt::store::embedded
