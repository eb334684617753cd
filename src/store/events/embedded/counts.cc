#include "store/events/embedded/counts.h"

#include "base/time.h"
#include "store/events/embedded/tail_rows.h"
#include "store/events/plan.h"

namespace redoubt::store::embedded {

namespace {

constexpr int64_t kMinuteLengthUs = 60 * base::kSecondUs;

// Does the bound part whole minutes of the segment?
bool parts_minutes(const std::optional<base::Time>& bound, const SegmentInfo& info) {
  return !bound || bound->us % kMinuteLengthUs == 0 || bound->us <= info.min_time_us || bound->us > info.max_time_us;
}

}  // namespace

void count_by_index(View& view, const query::Hunt& hunt, int64_t width_us, std::map<int64_t, int64_t>& buckets) {
  const auto types = types_only(hunt.where);
  if (!types || width_us % kMinuteLengthUs != 0) return;
  std::erase_if(view.segments, [&](const SegmentPart& part) {
    const SegmentInfo& info = part.segment->info;
    const auto index = part.segment->index();
    if (index == nullptr || index->minutes().empty()) return false;
    if (!parts_minutes(hunt.since, info) || !parts_minutes(hunt.until, info)) return false;
    for (const MinuteCount& count : index->minutes()) {
      const int64_t begin_us = count.minute * kMinuteLengthUs;
      const bool early = hunt.since && begin_us + kMinuteLengthUs <= hunt.since->us;
      const bool late = hunt.until && begin_us >= hunt.until->us;
      if (early || late || (*types >> count.type & 1) == 0) continue;
      buckets[begin_us - begin_us % width_us] += count.events;
    }
    return true;
  });
}

std::map<std::string, int64_t> count_values(const ShownRows& rows, const query::Hunt& hunt, event::Field field) {
  std::map<std::string, int64_t> counts;
  for (size_t row = 0; row < rows.rows; ++row) {
    const Cell time = cell_of(*rows.table, row, event::Field::event_time);
    const auto* time_us = std::get_if<int64_t>(&time);
    const bool early = hunt.since && (time_us == nullptr || *time_us < hunt.since->us);
    const bool late = hunt.until && (time_us == nullptr || *time_us >= hunt.until->us);
    const Cell value = cell_of(*rows.table, row, field);
    const auto* text = std::get_if<std::string>(&value);
    if (text != nullptr && !early && !late) ++counts[*text];
  }
  return counts;
}

}  // namespace redoubt::store::embedded
