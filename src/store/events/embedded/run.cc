#include "store/events/embedded/run.h"

#include <algorithm>
#include <chrono>

#include "base/log.h"
#include "store/events/embedded/segment_rows.h"
#include "store/events/plan.h"

namespace redoubt::store::embedded {

namespace {

constexpr auto kWatchPeriod = std::chrono::milliseconds(20);

bool read_all(const query::Test&) { return true; }

event::FieldSet either(event::FieldSet a, const event::FieldSet& b) {
  for (size_t word = 0; word < a.size(); ++word) a[word] |= b[word];
  return a;
}

}  // namespace

Watch::Watch(DuckSession& session, const HuntLimits& limits)
    : limits_(limits),
      deadline_(std::chrono::steady_clock::now() + std::chrono::milliseconds(limits.time_ms_max)),
      thread_([this, &session] { watch(session); }) {}

Watch::~Watch() {
  {
    const std::lock_guard lock(mutex_);
    done_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

std::string Watch::why() {
  const std::lock_guard lock(mutex_);
  look();
  return why_;
}

void Watch::look() {
  if (why_.empty() && std::chrono::steady_clock::now() >= deadline_) {
    why_ = "time limit of " + std::to_string(limits_.time_ms_max) + " ms";
  }
  if (why_.empty() && limits_.cancelled && limits_.cancelled()) why_ = "cancelled";
}

void Watch::watch(DuckSession& session) {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, kWatchPeriod, [&] { return done_; })) {
    look();
    if (!why_.empty()) session.interrupt();
  }
}

Run::Run(Duck& duck, std::unique_ptr<DuckSession> session, const query::Hunt& hunt, const HuntLimits& limits)
    : duck_(duck),
      hunt_(hunt),
      session_(std::move(session)),
      watch_(*session_, limits),
      lines_(duck, hunt, memory_, [this] { return go_on(); }),
      finder_(hunt, memory_, [this] { return go_on(); }) {}

Status Run::go_on() {
  const std::string why = watch_.why();
  return why.empty() ? Status{} : fail(Errc::timeout, why);
}

bool Run::stopped_by(const Error& error) {
  std::string why = watch_.why();
  if (why.empty() && error.code == Errc::exhausted) why = "memory: " + error.message;
  if (why.empty()) return false;
  why_partial_.push_back(std::move(why));
  return true;
}

void Run::finish(HuntResult& result) const {
  result.partial = !why_partial_.empty();
  for (const std::string& why : why_partial_) result.partial_why += (result.partial_why.empty() ? "" : "; ") + why;
}

void Run::report(const Segment& segment, const Error& error) {
  const std::string why = "segment " + std::to_string(segment.info.number) + " is damaged";
  if (std::find(why_partial_.begin(), why_partial_.end(), why) == why_partial_.end()) why_partial_.push_back(why);
  if (!segment.damage_reported.exchange(true)) {
    base::log_error("store", "segment " + segment.path + " is damaged: " + error.message);
  }
}

// The same with copies of the few rows that may match instead of tails and segments, where that can be said.
Result<View> Run::narrowed(const View& view, const event::FieldSet& fields) {
  if (view.segments.empty() || too_many_) return view;
  auto found = finder_.find(view, fields, {});
  if (!found && ends_run(found.error())) return tl::unexpected(found.error());
  too_many_ = found && !*found;
  if (!found || !*found) return view;
  View narrow;
  ShownRows& rows = (*found)->rows;
  if (rows.rows == 0) return narrow;
  TailPart copies{.table = rows.table, .rows = rows.rows, .shown = nullptr, .kind = TailPart::Rows::copies};
  copies.shown = duck_.show(std::move(rows));
  narrow.tails.push_back(std::move(copies));
  return narrow;
}

Result<std::optional<FoundRows>> Run::find(const View& view, const event::FieldSet& fields,
                                           const RowFinder::Further& further) {
  if (!finder_.exact() || too_many_) return std::nullopt;
  TRY_STATUS(go_on());
  auto found = finder_.find(view, fields, further);
  too_many_ = found && !*found;
  if (!found && !ends_run(found.error())) return std::nullopt;
  return found;
}

Result<Rows> Run::try_select(const View& whole, Reading::Places places, const StatementOf& statement_of,
                             const event::FieldSet& more) {
  TRY(const View view, narrowed(whole, either(fields_searched(hunt_, read_all), more)));
  const bool nothing = view.tails.empty() && view.segments.empty();
  if (nothing && places == Reading::Places::shown) return Rows{};
  const auto columns = nothing || lines_.empty() ? std::nullopt : lines_.answer(view);
  TRY_STATUS(go_on());
  if (!columns) {
    return session_->select(statement_of(
        source_of(view, {.fields = either(fields_searched(hunt_, read_all), more), .places = places, .further = {}}),
        {}));
  }
  const auto left = [&](const query::Test& test) { return lines_.column_of(test).empty(); };
  const Reading reading{.fields = either(fields_searched(hunt_, left), more),
                        .places = places,
                        .further = [&](size_t part) { return (*columns)[part]; }};
  return session_->select(
      statement_of(source_of(view, reading), [&](const query::Test& test) { return lines_.column_of(test); }));
}

// A damaged segment must not take the others' answer with it: each is tried alone, and what fails is left out.
Result<Rows> Run::select(View& view, Reading::Places places, const StatementOf& statement_of,
                         const event::FieldSet& more) {
  TRY_STATUS(go_on());
  auto rows = try_select(view, places, statement_of, more);
  if (rows || view.segments.empty() || ends_run(rows.error())) return rows;
  View sound{.segments = {}, .tails = view.tails};
  TRY_STATUS(try_select(sound, places, statement_of, more).map([](const Rows&) {}));
  for (const SegmentPart& part : view.segments) {
    const auto alone = try_select({.segments = {part}, .tails = {}}, places, statement_of, more);
    if (alone) {
      sound.segments.push_back(part);
    } else if (ends_run(alone.error())) {
      return alone;
    } else {
      report(*part.segment, alone.error());
    }
  }
  if (sound.segments.size() == view.segments.size()) return rows;
  view = std::move(sound);
  return try_select(view, places, statement_of, more);
}

Result<Rows> Run::select_nothing(const StatementOf& statement_of) {
  // The session of the run keeps being interrupted.
  TRY(const auto session, duck_.connect());
  return session->select(
      statement_of(source_of({}, {.fields = fields_of(hunt_), .places = Reading::Places::hidden, .further = {}}), {}));
}

Result<Rows> Run::fetch(const std::shared_ptr<const Segment>& segment, const std::vector<event::Field>& fields,
                        const std::vector<uint64_t>& rows) {
  TRY_STATUS(go_on());
  auto read = read_rows(*segment, fields, rows, memory_, [this] { return go_on(); });
  if (read || ends_run(read.error())) return read;
  return fetch_by_sql(segment, fields, rows);
}

// Of a segment that is damaged, or was not written here.
Result<Rows> Run::fetch_by_sql(const std::shared_ptr<const Segment>& segment, const std::vector<event::Field>& fields,
                               const std::vector<uint64_t>& rows) {
  Reading reading{.fields = {}, .places = Reading::Places::shown, .further = {}};
  std::string text = "SELECT ";
  for (const event::Field field : fields) {
    add_field(reading.fields, field);
    text += std::string(event::info(field).column) + ", ";
  }
  text += std::string(kRowColumn) + " FROM " + source_of({.segments = {{segment, {}}}, .tails = {}}, reading) +
          " WHERE " + std::string(kRowColumn) + " IN (";
  for (const uint64_t row : rows) text += (row == rows.front() ? "" : ", ") + std::to_string(row);
  auto found = session_->select({.text = text + ")", .parameters = {}});
  if (found && found->rows.size() != rows.size()) found = fail(Errc::corrupt, "rows are missing");
  if (!found && !ends_run(found.error())) {
    report(*segment, found.error());
    return Rows{};
  }
  return found;
}

}  // namespace redoubt::store::embedded
