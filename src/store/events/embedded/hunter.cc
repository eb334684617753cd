#include "store/events/embedded/hunter.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <thread>

#include "base/log.h"
#include "store/events/plan.h"

namespace redoubt::store::embedded {

namespace {

constexpr auto kWatchPeriod = std::chrono::milliseconds(20);
// Segments that one statement of a walk reads: few at first, for the newest usually suffice; more later, for a
// statement a segment is dear when hits are rare.
constexpr size_t kWalkStepMax = 32;

using StatementOf = std::function<query::sql::Statement(const std::string& source)>;

// Interrupts a session when its time is up or its caller has gone, again and again until it is destroyed, so that a
// statement begun in that moment ends as well.
class Watch {
 public:
  Watch(DuckSession& session, const HuntLimits& limits)
      : limits_(limits),
        deadline_(std::chrono::steady_clock::now() + std::chrono::milliseconds(limits.time_ms_max)),
        thread_([this, &session] { watch(session); }) {}

  ~Watch() {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

  // Why the work has to end; empty while it need not.
  std::string why() {
    const std::lock_guard lock(mutex_);
    look();
    return why_;
  }

 private:
  void look() {
    if (why_.empty() && std::chrono::steady_clock::now() >= deadline_) {
      why_ = "time limit of " + std::to_string(limits_.time_ms_max) + " ms";
    }
    if (why_.empty() && limits_.cancelled && limits_.cancelled()) why_ = "cancelled";
  }

  void watch(DuckSession& session) {
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, kWatchPeriod, [&] { return done_; })) {
      look();
      if (!why_.empty()) session.interrupt();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  bool done_ = false;
  std::string why_;
  const HuntLimits& limits_;
  const std::chrono::steady_clock::time_point deadline_;
  std::thread thread_;
};

// One hunt while it runs.
struct Run {
  DuckSession& session;
  Watch watch;
  std::vector<std::string> why_partial;

  const event::FieldSet fields;  // that are read

  Run(DuckSession& duck_session, const query::Hunt& hunt, const HuntLimits& limits)
      : session(duck_session), watch(duck_session, limits), fields(fields_of(hunt)) {}

  // A limit ended it: what was found so far is the answer.
  bool stopped_by(const Error& error) {
    std::string why = watch.why();
    if (why.empty() && error.code == Errc::exhausted) why = "memory: " + error.message;
    if (why.empty()) return false;
    why_partial.push_back(std::move(why));
    return true;
  }

  // A damaged segment must not take the others' answer with it: each is tried alone, and what fails is left out.
  Result<Rows> select(const View& view, const StatementOf& statement_of) {
    if (const std::string why = watch.why(); !why.empty()) return fail(Errc::timeout, why);
    auto rows = session.select(statement_of(source_of(view, fields)));
    if (rows || view.segments.empty() || !watch.why().empty() || rows.error().code == Errc::exhausted) return rows;
    TRY_STATUS(session.select(statement_of(source_of({.tails = view.tails}, fields))).map([](const Rows&) {}));
    View sound{.tails = view.tails};
    for (const auto& segment : view.segments) {
      const auto alone = session.select(statement_of(source_of({.segments = {segment}}, fields)));
      if (alone) {
        sound.segments.push_back(segment);
      } else if (!watch.why().empty() || alone.error().code == Errc::exhausted) {
        return alone;
      } else {
        report(*segment, alone.error());
      }
    }
    if (sound.segments.size() == view.segments.size()) return rows;
    return session.select(statement_of(source_of(sound, fields)));
  }

  void report(const Segment& segment, const Error& error) {
    why_partial.push_back("segment " + std::to_string(segment.info.number) + " is damaged");
    if (!segment.damage_reported.exchange(true)) {
      base::log_error("store", "segment " + segment.path + " is damaged: " + error.message);
    }
  }
};

query::Hunt clone(const query::Hunt& hunt) {
  return {.where = hunt.where.clone(),
          .since = hunt.since,
          .until = hunt.until,
          .sort = hunt.sort,
          .direction = hunt.direction,
          .limit = hunt.limit,
          .fields = hunt.fields,
          .aggregate = hunt.aggregate};
}

View within_time(const View& view, const query::Hunt& hunt) {
  View pruned{.tails = view.tails};
  for (const auto& segment : view.segments) {
    if (hunt.since && segment->info.max_time_us < hunt.since->us) continue;
    if (hunt.until && segment->info.min_time_us >= hunt.until->us) continue;
    pruned.segments.push_back(segment);
  }
  return pruned;
}

std::vector<Column> columns_of(const std::vector<std::string>& names) {
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

void finish(HuntResult& result, const std::vector<std::string>& why_partial) {
  result.partial = !why_partial.empty();
  for (const std::string& why : why_partial) result.partial_why += (result.partial_why.empty() ? "" : "; ") + why;
}

// Answers from one statement over all of the view.
Result<HuntResult> whole(Duck& duck, Run& run, const View& view, const StatementOf& statement_of) {
  HuntResult result;
  auto rows = run.select(view, statement_of);
  if (!rows && !run.stopped_by(rows.error())) return tl::unexpected(rows.error());
  if (rows) {
    result.columns = columns_of(rows->columns);
    result.rows = std::move(rows->rows);
  } else {
    // The columns of an answer without rows; the session of the run keeps being interrupted.
    TRY(const auto session, duck.connect());
    TRY(const Rows empty, session->select(statement_of(source_of({}, run.fields))));
    result.columns = columns_of(empty.columns);
  }
  finish(result, run.why_partial);
  return result;
}

// A walk through the segments in the order of time, as long as a segment may hold rows that belong to the answer.
class Walk {
 public:
  Walk(Run& run, const query::Hunt& hunt) : run_(run), hunt_(clone(hunt)), fields_asked_(hunt.fields.size()) {
    if (hunt_.fields.empty()) {
      for (const event::FieldInfo& row : event::kFields) hunt_.fields.push_back(row.field);
      fields_asked_ = hunt_.fields.size();
    }
    const auto time = std::find(hunt_.fields.begin(), hunt_.fields.end(), event::Field::event_time);
    time_column_ = static_cast<size_t>(time - hunt_.fields.begin());
    if (time == hunt_.fields.end()) hunt_.fields.push_back(event::Field::event_time);
    newest_first_ = hunt.direction == query::Direction::descending;
  }

  Result<HuntResult> go(View view) {
    std::sort(view.segments.begin(), view.segments.end(), [&](const auto& a, const auto& b) {
      return newest_first_ ? a->info.max_time_us > b->info.max_time_us : a->info.min_time_us < b->info.min_time_us;
    });
    size_t at = 0;
    // The tail holds the newest events: it is read with the first segment only where the oldest are wanted.
    bool going = step({.tails = view.tails});
    for (size_t count = 1; going && at < view.segments.size(); count = std::min(count * 2, kWalkStepMax)) {
      View part;
      for (; part.segments.size() < count && at < view.segments.size() && may_add(view.segments[at]->info); ++at) {
        part.segments.push_back(view.segments[at]);
      }
      if (part.segments.empty()) break;
      going = step(part);
    }
    if (failure_) return tl::unexpected(*failure_);
    return answer();
  }

 private:
  int64_t time_of(const std::vector<Cell>& row) const {
    const auto* time = std::get_if<int64_t>(&row[time_column_]);
    return time != nullptr ? *time : 0;
  }

  bool full() const { return rows_.size() >= hunt_.limit; }

  // Could the segment, and those after it, hold a row that pushes out one that was found?
  bool may_add(const SegmentInfo& segment) const {
    if (!full()) return true;
    if (rows_.empty()) return false;
    const int64_t last = time_of(rows_.back());
    return newest_first_ ? segment.max_time_us > last : segment.min_time_us < last;
  }

  // Reads a part and merges what it gave; false ends the walk.
  bool step(const View& part) {
    if (full() && !rows_.empty()) narrow();
    auto found = run_.select(part, [&](const std::string& source) {
      return query::sql::select(hunt_, source, query::sql::Dialect::duckdb);
    });
    if (!found) {
      if (!run_.stopped_by(found.error())) failure_ = found.error();
      return false;
    }
    for (auto& row : found->rows) rows_.push_back(std::move(row));
    std::stable_sort(rows_.begin(), rows_.end(), [&](const auto& a, const auto& b) {
      return newest_first_ ? time_of(a) > time_of(b) : time_of(a) < time_of(b);
    });
    if (rows_.size() > hunt_.limit) rows_.resize(hunt_.limit);
    return true;
  }

  // Only rows beyond the last one kept are wanted from now on.
  void narrow() {
    const int64_t last = time_of(rows_.back());
    if (newest_first_) {
      hunt_.since = base::Time{std::max(last + 1, hunt_.since ? hunt_.since->us : last + 1)};
    } else {
      hunt_.until = base::Time{std::min(last, hunt_.until ? hunt_.until->us : last)};
    }
  }

  HuntResult answer() {
    HuntResult result;
    for (size_t i = 0; i < fields_asked_; ++i) {
      result.columns.push_back({.name = std::string(event::info(hunt_.fields[i]).name), .field = hunt_.fields[i]});
    }
    for (auto& row : rows_) row.resize(fields_asked_);
    result.rows = std::move(rows_);
    finish(result, run_.why_partial);
    return result;
  }

  Run& run_;
  query::Hunt hunt_;
  size_t fields_asked_;
  size_t time_column_ = 0;
  bool newest_first_ = true;
  std::vector<std::vector<Cell>> rows_;
  std::optional<Error> failure_;
};

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

Result<HuntResult> Hunter::hunt(const View& view, const query::Hunt& hunt, const HuntLimits& limits) {
  const Slot slot(slots_, limits);
  TRY_STATUS(slot.status());
  TRY(const auto session, duck_.connect());
  Run run(*session, hunt, limits);
  const View pruned = within_time(view, hunt);
  if (hunt.aggregate.index() == 0 && hunt.sort == event::Field::event_time) return Walk(run, hunt).go(pruned);
  return whole(duck_, run, pruned, [&](const std::string& source) {
    return query::sql::select(hunt, source, query::sql::Dialect::duckdb);
  });
}

Result<HuntResult> Hunter::histogram(const View& view, const query::Hunt& hunt, int64_t width_us,
                                     const HuntLimits& limits) {
  const Slot slot(slots_, limits);
  TRY_STATUS(slot.status());
  TRY(const auto session, duck_.connect());
  Run run(*session, hunt, limits);
  return whole(duck_, run, within_time(view, hunt), [&](const std::string& source) {
    return query::sql::histogram(hunt, width_us, source, query::sql::Dialect::duckdb);
  });
}

}  // namespace redoubt::store::embedded
