#include "store/events/embedded/walk.h"

#include <algorithm>
#include <iterator>
#include <map>

#include "store/events/embedded/tail_rows.h"
#include "store/events/plan.h"

namespace redoubt::store::embedded {

namespace {

using query::sql::Dialect;

// Segments that one statement of a walk reads: few at first, for the newest usually suffice; more later, for a
// statement a segment is dear when hits are rare.
constexpr size_t kWalkStepMax = 32;
// Segments of which the index leaves so few rows are read along with others.
constexpr uint64_t kFewRows = 100'000;

uint64_t rows_left(const SegmentPart& part) {
  if (part.ranges.empty()) return part.segment->info.rows;
  uint64_t rows = 0;
  for (const RowRange& range : part.ranges) rows += range.last - range.first + 1;
  return rows;
}

// Where a row is: in a segment, or in a table, of the tail or of copies.
struct Place {
  std::shared_ptr<const Segment> segment;
  std::shared_ptr<const Memtable> table;
  uint64_t row = 0;
};

struct Found {
  int64_t time_us = 0;
  int64_t sequence = 0;
  std::string host_id;
  Place place;
};

// By which rows are ordered.
constexpr event::FieldSet kKeyFields = [] {
  event::FieldSet fields{};
  for (const event::Field field : {event::Field::event_time, event::Field::event_sequence, event::Field::host_id}) {
    add_field(fields, field);
  }
  return fields;
}();

int64_t number_in(const Cell& cell) {
  const auto* number = std::get_if<int64_t>(&cell);
  return number != nullptr ? *number : 0;
}

std::string text_in(const Cell& cell) {
  const auto* text = std::get_if<std::string>(&cell);
  return text != nullptr ? *text : std::string();
}

// The same hunt with other bounds; its condition is answered as that of the first.
query::Hunt clone(const query::Hunt& hunt) {
  return {.where = hunt.where.clone(), .since = hunt.since, .until = hunt.until, .limit = hunt.limit + hunt.offset};
}

class Walk {
 public:
  Walk(Run& run, const query::Hunt& hunt, const RowsFound& rows_found)
      : run_(run),
        asked_(hunt),
        rows_found_(rows_found),
        hunt_(clone(hunt)),
        fields_(hunt.fields),
        newest_first_(hunt.direction == query::Direction::descending) {
    for (const event::FieldInfo& info : event::kFields) {
      if (hunt.fields.empty()) fields_.push_back(info.field);
    }
    for (const event::Field field : fields_) add_field(shown_, field);
  }

  Result<HuntResult> go(View view) {
    std::sort(view.segments.begin(), view.segments.end(), [&](const SegmentPart& a, const SegmentPart& b) {
      return newest_first_ ? a.segment->info.max_time_us > b.segment->info.max_time_us
                           : a.segment->info.min_time_us < b.segment->info.min_time_us;
    });
    bool going = view.tails.empty() || step({.segments = {}, .tails = view.tails});
    size_t at = 0;
    for (size_t count = 1; going && at < view.segments.size(); count = std::min(count * 2, kWalkStepMax)) {
      View part;
      uint64_t rows = 0;
      for (; at < view.segments.size() && may_add(view.segments[at].segment->info); ++at) {
        rows += rows_left(view.segments[at]);
        const size_t taken = part.segments.size();
        if (taken == kWalkStepMax || (taken >= count && rows > kFewRows)) break;
        part.segments.push_back(view.segments[at]);
      }
      if (part.segments.empty()) break;
      going = step(std::move(part)) && (at == view.segments.size() || tell_before(view.segments[at].segment->info));
    }
    if (failure_) return tl::unexpected(*failure_);
    return answer();
  }

 private:
  bool full() const { return found_.size() >= hunt_.limit; }

  bool before(const Found& a, const Found& b) const {
    if (a.time_us != b.time_us) return newest_first_ ? a.time_us > b.time_us : a.time_us < b.time_us;
    if (a.sequence != b.sequence) return newest_first_ ? a.sequence > b.sequence : a.sequence < b.sequence;
    return a.host_id < b.host_id;
  }

  // Could the segment, and those after it, hold a row that pushes out one that was found?
  bool may_add(const SegmentInfo& segment) const {
    if (!full()) return true;
    if (found_.empty()) return false;
    const int64_t last = found_.back().time_us;
    return newest_first_ ? segment.max_time_us >= last : segment.min_time_us <= last;
  }

  query::sql::Statement statement(const std::string& source, const query::sql::Answered& answered) const {
    const std::string direction = newest_first_ ? " DESC" : " ASC";
    query::sql::Statement out = query::sql::where(hunt_, Dialect::duckdb, answered);
    out.text = "SELECT event_time, event_sequence, host_id, " + std::string(kPartColumn) + ", " +
               std::string(kRowColumn) + " FROM " + source + out.text + " ORDER BY event_time" + direction +
               " NULLS LAST, event_sequence" + direction + ", host_id LIMIT " + std::to_string(hunt_.limit);
    return out;
  }

  // Reads a part of the view and merges what it gave; false ends the walk.
  bool step(View part) {
    if (full() && !found_.empty()) narrow();
    const auto found = run_.find(part, kKeyFields, {.fields = shown_, .rows_max = hunt_.limit});
    if (!found) return stop(found.error());
    if (!*found || !add(part, **found)) {
      if (!add_by_sql(std::move(part))) return false;
    }
    std::stable_sort(found_.begin(), found_.end(), [&](const Found& a, const Found& b) { return before(a, b); });
    if (found_.size() > hunt_.limit) found_.resize(hunt_.limit);
    return true;
  }

  // False: a row has no time, and SQL knows where such a one belongs.
  bool add(const View& part, const FoundRows& found) {
    const ShownRows& rows = found.rows;
    std::vector<Found> more;
    for (size_t row = 0; row < rows.rows; ++row) {
      const Cell time = cell_of(*rows.table, row, event::Field::event_time);
      if (!std::holds_alternative<int64_t>(time)) return false;
      const int64_t time_us = number_in(time);
      if ((hunt_.since && time_us < hunt_.since->us) || (hunt_.until && time_us >= hunt_.until->us)) continue;
      more.push_back({time_us, number_in(cell_of(*rows.table, row, event::Field::event_sequence)),
                      text_in(cell_of(*rows.table, row, event::Field::host_id)),
                      found.whole[row] ? Place{.segment = nullptr, .table = rows.table, .row = row}
                                       : place(part, Cell{rows.places[row].part}, Cell{rows.places[row].row})});
    }
    std::move(more.begin(), more.end(), std::back_inserter(found_));
    return true;
  }

  bool add_by_sql(View part) {
    const auto rows = run_.select(part, Reading::Places::shown, [&](const std::string& source, const auto& answered) {
      return statement(source, answered);
    });
    if (!rows) return stop(rows.error());
    for (const auto& row : rows->rows) {
      found_.push_back({number_in(row[0]), number_in(row[1]), text_in(row[2]), place(part, row[3], row[4])});
    }
    return true;
  }

  bool stop(const Error& error) {
    if (!run_.stopped_by(error)) failure_ = error;
    return false;
  }

  static Place place(const View& view, const Cell& part, const Cell& row) {
    const auto number = static_cast<size_t>(number_in(part));
    const auto in_part = static_cast<uint64_t>(number_in(row));
    if (number < view.tails.size()) return {.segment = nullptr, .table = view.tails[number].table, .row = in_part};
    return {.segment = view.segments.at(number - view.tails.size()).segment, .table = nullptr, .row = in_part};
  }

  // Only rows that may come before the last one kept are wanted from now on.
  void narrow() {
    const int64_t last = found_.back().time_us;
    if (newest_first_) {
      hunt_.since = base::Time{std::max(last, hunt_.since ? hunt_.since->us : last)};
    } else {
      hunt_.until = base::Time{std::min(last + 1, hunt_.until ? hunt_.until->us : last + 1)};
    }
  }

  // Tells the newest rows: those that none of the segment, or of those after it, comes before. False ends the walk.
  bool tell_before(const SegmentInfo& next) {
    if (!rows_found_ || !newest_first_ || asked_.offset > 0) return true;
    const auto end = std::find_if_not(found_.begin() + std::ssize(rows_), found_.end(),
                                      [&](const Found& row) { return row.time_us > next.max_time_us; });
    const auto told = std::ssize(rows_);
    const auto fetched = fetch_to(static_cast<size_t>(end - found_.begin()));
    if (!fetched) return stop(fetched.error());
    HuntResult part{.columns = columns(), .rows = {rows_.begin() + told, rows_.end()}};
    std::erase_if(part.rows, is_missing);
    if (!part.rows.empty()) rows_found_(part);
    return *fetched;
  }

  // What is shown of the rows found, up to that one, in their order; false: a limit ended it.
  Result<bool> fetch_to(size_t end) {
    std::map<std::shared_ptr<const Segment>, std::map<uint64_t, size_t>> wanted;
    size_t i = rows_.size();
    rows_.resize(std::max(i, end));
    for (; i < end; ++i) {
      const Place& place = found_[i].place;
      if (place.segment) wanted[place.segment][place.row] = i;
      for (size_t column = 0; place.table && column < fields_.size(); ++column) {
        rows_[i].push_back(cell_of(*place.table, place.row, fields_[column]));
      }
    }
    for (const auto& [segment, places] : wanted) {
      std::vector<uint64_t> numbers;
      for (const auto& [row, position] : places) numbers.push_back(row);
      auto fetched = run_.fetch(segment, fields_, numbers);
      if (!fetched && !run_.stopped_by(fetched.error())) return tl::unexpected(fetched.error());
      if (!fetched) return false;
      for (auto& row : fetched->rows) {
        const auto number = static_cast<uint64_t>(number_in(row.back()));
        row.pop_back();
        rows_[places.at(number)] = std::move(row);
      }
    }
    return true;
  }

  std::vector<Column> columns() const {
    std::vector<Column> columns;
    for (const event::Field field : fields_) {
      columns.push_back({.name = std::string(event::info(field).name), .field = field});
    }
    return columns;
  }

  Result<HuntResult> answer() {
    found_.erase(found_.begin(), found_.begin() + std::min<std::ptrdiff_t>(asked_.offset, std::ssize(found_)));
    TRY_STATUS(fetch_to(found_.size()).map([](bool) {}));
    std::erase_if(rows_, is_missing);
    HuntResult result{.columns = columns(), .rows = std::move(rows_)};
    run_.finish(result);
    return result;
  }

  // A row of a damaged segment, or past a limit.
  static bool is_missing(const std::vector<Cell>& row) { return row.empty(); }

  Run& run_;
  const query::Hunt& asked_;
  const RowsFound& rows_found_;
  query::Hunt hunt_;
  std::vector<event::Field> fields_;
  event::FieldSet shown_{};  // the same
  bool newest_first_;
  std::vector<Found> found_;
  std::vector<std::vector<Cell>> rows_;  // what is shown of the first of them
  std::optional<Error> failure_;
};

}  // namespace

Result<HuntResult> walk(Run& run, const query::Hunt& hunt, const View& view, const RowsFound& found) {
  return Walk(run, hunt, found).go(view);
}

}  // namespace redoubt::store::embedded
