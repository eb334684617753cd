#include "store/events/report_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/time.h"

namespace redoubt::store {

namespace {

using nlohmann::ordered_json;

ordered_json time_or_null(int64_t us) {
  return us == 0 ? ordered_json(nullptr) : ordered_json(base::format_time({us}));
}

// Names that came from hosts need not be UTF-8.
std::string text_of(const ordered_json& json) {
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

ordered_json list_of(const std::vector<Damage>& damage) {
  ordered_json list = ordered_json::array();
  for (const Damage& each : damage) list.push_back({{"what", each.what}, {"why", each.why}});
  return list;
}

ordered_json list_of(const std::vector<SegmentReport>& segments) {
  ordered_json list = ordered_json::array();
  for (const SegmentReport& each : segments) {
    list.push_back({{"number", each.number},
                    {"first_event", base::format_time({each.min_time_us})},
                    {"last_event", base::format_time({each.max_time_us})},
                    {"sealed", base::format_time({each.sealed_us})},
                    {"events", each.events},
                    {"bytes", each.bytes},
                    {"index_bytes", each.index_bytes}});
  }
  return list;
}

ordered_json list_of(const std::vector<HostActivity>& hosts) {
  ordered_json list = ordered_json::array();
  for (const HostActivity& each : hosts) {
    list.push_back({{"id", each.host_id},
                    {"events", each.events},
                    {"events_lost", each.events_lost},
                    {"last_event", time_or_null(each.last_event_us)}});
  }
  return list;
}

double bytes_an_event(uint64_t bytes, uint64_t events) {
  return events == 0 ? 0 : std::round(static_cast<double>(bytes) * 10 / static_cast<double>(events)) / 10;
}

}  // namespace

std::optional<ExportFormat> export_format_named(std::string_view name) {
  if (name == "csv") return ExportFormat::csv;
  if (name == "jsonl") return ExportFormat::json_lines;
  if (name == "parquet") return ExportFormat::parquet;
  return std::nullopt;
}

std::string json_of(const StoreReport& report) {
  ordered_json kinds = ordered_json::array();
  for (const auto& [kind, events] : report.kinds) kinds.push_back({{"kind", kind}, {"events", events}});
  const StoreStats& totals = report.totals;
  return text_of({{"events", report.segment_events + totals.tail_events},
                  {"events_taken", totals.events},
                  {"first_event", time_or_null(report.first_event_us)},
                  {"last_event", time_or_null(report.last_event_us)},
                  {"segments", totals.segments},
                  {"segment_events", report.segment_events},
                  {"segment_bytes", totals.segment_bytes},
                  {"index_bytes", report.index_bytes},
                  {"bytes_per_event", bytes_an_event(totals.segment_bytes, report.segment_events)},
                  {"tail_events", totals.tail_events},
                  {"spool_files", report.spool_files},
                  {"spool_bytes", totals.spool_bytes},
                  {"disk_free_bytes", report.free_bytes},
                  {"kinds", std::move(kinds)},
                  {"events_of_unknown_kind", report.events_of_unknown_kind},
                  {"hosts", list_of(report.hosts)},
                  {"segment_list", list_of(report.segments)}});
}

std::string json_of(const VerifyReport& report) {
  return text_of({{"sound", report.damage.empty()},
                  {"segments", report.segments},
                  {"indexes", report.indexes},
                  {"spool_files", report.spool_files},
                  {"events", report.events},
                  {"bytes", report.bytes},
                  {"damage", list_of(report.damage)}});
}

std::string json_of(const CompactReport& report) {
  return text_of({{"segments_before", report.segments_before},
                  {"segments_after", report.segments_after},
                  {"bytes_before", report.bytes_before},
                  {"bytes_after", report.bytes_after},
                  {"damage", list_of(report.damage)}});
}

std::string json_of(const MoveReport& report) {
  return text_of({{"hosts", report.hosts},
                  {"events", report.events},
                  {"events_moved", report.events_moved},
                  {"kept", report.kept},
                  {"damage", list_of(report.left_behind)}});
}

}  // namespace redoubt::store
