// Events in the order of time are looked for from one end of time, some days at a time, as long as more are wanted;
// those in another order at once. What is shown of the rows found is fetched at the end: few wide rows instead of all.
#include <algorithm>
#include <map>

#include "query/sql/clickhouse.h"
#include "query/sql/clickhouse_row.h"
#include "query/sql/sql.h"
#include "store/events/clickhouse/days.h"
#include "store/events/clickhouse/hunt_run.h"
#include "store/events/clickhouse/schema.h"

namespace redoubt::store::clickhouse {

namespace {

namespace sql = query::sql;
using event::Field;

// Days that one statement reads: few at first, for the newest usually suffice.
constexpr size_t kDaysAtOnceMax = 64;

struct EventKey {
  std::string host_id;
  std::string boot_id;
  int64_t sequence = 0;

  friend auto operator<=>(const EventKey&, const EventKey&) = default;
};

struct FoundEvent {
  EventKey key;
  int64_t time_us = 0;
};

std::string column_of(Field field) { return std::string(event::info(field).column); }

int64_t number_of_cell(const Cell& cell) {
  const auto* number = std::get_if<int64_t>(&cell);
  return number != nullptr ? *number : 0;
}

std::string text_of_cell(const Cell& cell) {
  const auto* text = std::get_if<std::string>(&cell);
  return text != nullptr ? *text : std::string();
}

EventKey key_of_row(const std::vector<Cell>& row, size_t at) {
  return {.host_id = text_of_cell(row.at(at)),
          .boot_id = text_of_cell(row.at(at + 1)),
          .sequence = number_of_cell(row.at(at + 2))};
}

constexpr std::string_view kKeyColumns = "host_id, host_boot_id, event_sequence, event_time";

class Finder {
 public:
  Finder(HuntRun& run, const query::Hunt& hunt)
      : run_(run), hunt_(hunt), wanted_(size_t{hunt.limit} + hunt.offset), fields_(hunt.fields) {
    if (!fields_.empty()) return;
    for (const event::FieldInfo& info : event::kFields) fields_.push_back(info.field);
  }

  Result<HuntResult> go() {
    HuntResult result;
    for (const Field field : fields_) {
      result.columns.push_back({.name = std::string(event::info(field).name), .field = field});
    }
    const Status found = hunt_.sort == Field::event_time ? walk() : step(where_of(hunt_));
    if (!found && !run_.stopped_by(found.error())) return tl::unexpected(found.error());
    found_.erase(found_.begin(), found_.begin() + std::min<std::ptrdiff_t>(hunt_.offset, std::ssize(found_)));
    const Status fetched = fetch(result.rows);
    if (!fetched && !run_.stopped_by(fetched.error())) return tl::unexpected(fetched.error());
    run_.finish(result);
    return result;
  }

 private:
  bool newest_first() const { return hunt_.direction == query::Direction::descending; }

  static std::string where_of(const query::Hunt& hunt) { return sql::where(hunt, sql::Dialect::clickhouse).text; }

  // Rows that come behind those that were found.
  Status step(const std::string& where) {
    const std::string direction = newest_first() ? " DESC" : " ASC";
    std::string order = column_of(hunt_.sort) + direction + " NULLS LAST, event_sequence" + direction;
    TRY(const Table table,
        run_.select("SELECT " + std::string(kKeyColumns) + " FROM " + std::string(kEventsTable) + where + " ORDER BY " +
                    order + ", host_id LIMIT " + std::to_string(wanted_ - found_.size())));
    for (const auto& row : table.rows) found_.push_back({key_of_row(row, 0), number_of_cell(row.at(3))});
    return {};
  }

  bool full() const { return found_.size() >= wanted_; }

  // The days are cut so that each time lies in one step: the first and the last step have no end of their own.
  Status walk() {
    if (full()) return {};
    TRY(std::vector<DayParts> days, list_days(run_.cluster()));
    std::erase_if(days, [](const DayParts& day) { return day.day < sql::kLikelyDaysFrom; });
    if (newest_first()) std::reverse(days.begin(), days.end());
    query::Hunt part{.where = hunt_.where.clone(), .since = hunt_.since, .until = hunt_.until};
    size_t at = 0;
    for (size_t count = 1; !full(); count = std::min(count * 2, kDaysAtOnceMax)) {
      at += count;
      if (at >= days.size()) break;
      // days[at] is the first of the next step.
      const int64_t border = newest_first() ? (days[at].day + 1) * sql::kDayUs : days[at].day * sql::kDayUs;
      auto& end = newest_first() ? part.since : part.until;
      auto& start = newest_first() ? part.until : part.since;
      if (end && (newest_first() ? border <= end->us : border >= end->us)) break;
      if (start && (newest_first() ? border >= start->us : border <= start->us)) continue;
      const auto asked = end;
      end = base::Time{border};
      TRY_STATUS(step(where_of(part)));
      start = end;
      end = asked;
    }
    return full() ? Status{} : step(where_of(part));
  }

  // What is shown of the rows found, in their order.
  Status fetch(std::vector<std::vector<Cell>>& rows) {
    if (found_.empty()) return {};
    std::map<EventKey, size_t> places;
    std::map<std::string, bool> hosts;
    std::string keys;
    query::Hunt span{.where = query::Expression::constant(true)};
    int64_t first_us = INT64_MAX;
    int64_t last_us = INT64_MIN;
    for (size_t i = 0; i < found_.size(); ++i) {
      const FoundEvent& found = found_[i];
      places.emplace(found.key, i);
      hosts[found.key.host_id] = true;
      first_us = std::min(first_us, found.time_us);
      last_us = std::max(last_us, found.time_us);
      keys += (i == 0 ? "((" : ", (") + sql::clickhouse::literal(found.key.host_id) + ", " +
              sql::clickhouse::literal(found.key.boot_id) + ", " + std::to_string(found.key.sequence) + ")";
    }
    std::string in_hosts;
    for (const auto& [host, there] : hosts) in_hosts += (in_hosts.empty() ? "" : ", ") + sql::clickhouse::literal(host);
    span.since = base::Time{first_us};
    if (last_us < INT64_MAX) span.until = base::Time{last_us + 1};
    std::string columns;
    for (const Field field : fields_) columns += column_of(field) + ", ";
    auto table = run_.select("SELECT " + columns + "host_id AS k1, host_boot_id AS k2, event_sequence AS k3 FROM " +
                             std::string(kEventsTable) + " PREWHERE " + sql::clickhouse::bounds(span) + "host_id IN (" +
                             in_hosts + ") AND (host_id, host_boot_id, event_sequence) IN " + keys + ")");
    if (!table) return tl::unexpected(std::move(table).error());
    std::vector<std::vector<Cell>> shown(found_.size());
    for (auto& row : table->rows) {
      const auto place = places.find(key_of_row(row, fields_.size()));
      if (place == places.end()) continue;
      row.resize(fields_.size());
      shown[place->second] = std::move(row);
    }
    // Rows that went with their day meanwhile stay empty.
    std::erase_if(shown, [](const auto& row) { return row.empty(); });
    rows = std::move(shown);
    return {};
  }

  HuntRun& run_;
  const query::Hunt& hunt_;
  const size_t wanted_;
  std::vector<Field> fields_;
  std::vector<FoundEvent> found_;
};

}  // namespace

Result<HuntResult> find_events(HuntRun& run, const query::Hunt& hunt) { return Finder(run, hunt).go(); }

}  // namespace redoubt::store::clickhouse
