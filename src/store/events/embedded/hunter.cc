#include "store/events/embedded/hunter.h"

#include <algorithm>
#include <chrono>

#include "store/events/embedded/counts.h"
#include "store/events/embedded/prune.h"
#include "store/events/embedded/walk.h"
#include "store/events/plan.h"

namespace redoubt::store::embedded {

namespace {

using query::sql::Dialect;

std::vector<Column> columns_named(const std::vector<std::string>& names) {
  std::vector<Column> columns;
  for (const std::string& name : names) {
    const auto* found = std::find_if(event::kFields.begin(), event::kFields.end(),
                                     [&](const event::FieldInfo& row) { return row.column == name; });
    if (found == event::kFields.end()) {
      columns.push_back({.name = name, .field = std::nullopt});
    } else {
      columns.push_back({.name = std::string(found->name), .field = found->field});
    }
  }
  return columns;
}

// Answers from one statement over all of the view.
Result<HuntResult> whole(Run& run, View view, const Run::StatementOf& statement_of, const event::FieldSet& more) {
  HuntResult result;
  auto rows = run.select(view, Reading::Places::hidden, statement_of, more);
  if (!rows && !run.stopped_by(rows.error())) return tl::unexpected(rows.error());
  if (!rows) rows = run.select_nothing(statement_of);  // the columns of an answer without rows
  if (!rows) return tl::unexpected(rows.error());
  result.columns = columns_named(rows->columns);
  result.rows = std::move(rows->rows);
  run.finish(result);
  return result;
}

// Values of a text with their counts, where the rows are found without SQL: in SQL's order. Nothing where they are not.
Result<std::optional<HuntResult>> count_found(Run& run, const View& view, const query::Hunt& hunt) {
  const auto* by = std::get_if<query::CountBy>(&hunt.aggregate);
  const auto* distinct = std::get_if<query::Distinct>(&hunt.aggregate);
  if (by == nullptr && distinct == nullptr) return std::nullopt;
  const event::Field field = by != nullptr ? by->field : distinct->field;
  if (!event::is_textual(event::info(field).type)) return std::nullopt;
  event::FieldSet fields{};
  add_field(fields, field);
  add_field(fields, event::Field::event_time);
  TRY(const auto found, run.find(view, fields, {}));
  if (!found) return std::nullopt;
  const auto counts = count_values(found->rows, hunt, field);
  std::vector<std::pair<std::string, int64_t>> values(counts.begin(), counts.end());
  if (by != nullptr) {
    std::stable_sort(values.begin(), values.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  }
  HuntResult result;
  result.columns = columns_named({"value", "count"});
  const size_t limit = by != nullptr ? by->top : hunt.limit;
  for (size_t at = hunt.offset; at < values.size() && result.rows.size() < limit; ++at) {
    result.rows.push_back({Cell{std::move(values[at].first)}, Cell{values[at].second}});
  }
  run.finish(result);
  return result;
}

// A histogram: what the indexes know is not read.
Result<HuntResult> count_buckets(Run& run, View view, const query::Hunt& hunt, int64_t width_us, uint32_t limit,
                                 const Run::StatementOf& statement_of) {
  std::map<int64_t, int64_t> buckets;
  count_by_index(view, hunt, width_us, buckets);
  TRY(HuntResult result, whole(run, std::move(view), statement_of, {}));
  for (const auto& row : result.rows) buckets[std::get<int64_t>(row[0])] += std::get<int64_t>(row[1]);
  result.rows.clear();
  for (const auto& [bucket, count] : buckets) {
    if (result.rows.size() < limit) result.rows.push_back({Cell{bucket}, Cell{count}});
  }
  return result;
}

// A place among the hunts that run at once, given back at the end.
class Slot {
 public:
  Slot(std::counting_semaphore<kHuntsAtOnceMax>& slots, const HuntLimits& limits)
      : slots_(slots), taken_(slots.try_acquire_for(std::chrono::milliseconds(limits.time_ms_max))) {}
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
  ~Slot() {
    if (taken_) slots_.release();
  }
  Status status() const {
    return taken_ ? Status{} : fail(Errc::exhausted, "other hunts keep the event store busy: try again later");
  }

 private:
  std::counting_semaphore<kHuntsAtOnceMax>& slots_;
  bool taken_;
};

}  // namespace

Result<HuntResult> Hunter::hunt(const View& view, const query::Hunt& hunt, const HuntLimits& limits,
                                const RowsFound& found) {
  const Slot slot(slots_, limits);
  TRY_STATUS(slot.status());
  TRY(auto session, duck_.connect());
  Run run(duck_, std::move(session), hunt, limits);
  View pruned = Pruner(hunt).prune(view);
  const bool shows_events = hunt.aggregate.index() == 0;
  if (shows_events && hunt.sort == event::Field::event_time) return walk(run, hunt, pruned, found);
  const auto statement_of = [&](const std::string& source, const query::sql::Answered& answered) {
    return query::sql::select(hunt, source, Dialect::duckdb, answered);
  };
  const auto* per = std::get_if<query::CountPer>(&hunt.aggregate);
  if (per != nullptr && hunt.offset == 0) {
    return count_buckets(run, std::move(pruned), hunt, per->width_us, hunt.limit, statement_of);
  }
  auto counted = count_found(run, pruned, hunt);
  if (counted && *counted) return **std::move(counted);
  // A limit that ended it ends this as well, and says so.
  return whole(run, std::move(pruned), statement_of, shows_events ? fields_of(hunt) : event::FieldSet{});
}

Result<HuntResult> Hunter::write(const View& view, const query::Hunt& hunt, const Run::StatementOf& statement_of,
                                 const HuntLimits& limits) {
  const Slot slot(slots_, limits);
  TRY_STATUS(slot.status());
  TRY(auto session, duck_.connect());
  Run run(duck_, std::move(session), hunt, limits);
  View pruned = Pruner(hunt).prune(view);
  HuntResult result;
  auto rows = run.select(pruned, Reading::Places::hidden, statement_of, fields_of(hunt));
  if (rows) result.rows = std::move(rows->rows);
  if (!rows && !run.stopped_by(rows.error())) return tl::unexpected(std::move(rows).error());
  run.finish(result);
  if (!rows) return fail(rows.error().code == Errc::exhausted ? Errc::exhausted : Errc::timeout, result.partial_why);
  return result;
}

Result<HuntResult> Hunter::histogram(const View& view, const query::Hunt& hunt, int64_t width_us,
                                     const HuntLimits& limits) {
  const Slot slot(slots_, limits);
  TRY_STATUS(slot.status());
  TRY(auto session, duck_.connect());
  Run run(duck_, std::move(session), hunt, limits);
  return count_buckets(run, Pruner(hunt).prune(view), hunt, width_us, query::kHuntLimitMax,
                       [&](const std::string& source, const query::sql::Answered& answered) {
                         return query::sql::histogram(hunt, width_us, source, Dialect::duckdb, answered);
                       });
}

}  // namespace redoubt::store::embedded
