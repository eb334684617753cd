#include "central/hunts/hunt_service.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>

#include "central/hunts/correlation_history.h"
#include "query/hunt.h"

namespace redoubt::central {

namespace {

constexpr int64_t kHuntTimeMs = 30'000;
constexpr int64_t kWidthUsMin = base::kSecondUs;
constexpr int64_t kValuesTimeMs = 3'000;
// Most fields that one name stands for are counted.
constexpr size_t kMeaningsMax = 4;

// Widths that people read easily, up to a week.
constexpr auto kNiceWidthsUs = std::to_array<int64_t>(
    {base::kSecondUs, 2 * base::kSecondUs, 5 * base::kSecondUs, 10 * base::kSecondUs, 15 * base::kSecondUs,
     30 * base::kSecondUs, base::kMinuteUs, 2 * base::kMinuteUs, 5 * base::kMinuteUs, 10 * base::kMinuteUs,
     15 * base::kMinuteUs, 30 * base::kMinuteUs, base::kHourUs, 3 * base::kHourUs, 6 * base::kHourUs,
     12 * base::kHourUs, base::kDayUs, 7 * base::kDayUs});

int64_t nice_width(int64_t span_us, uint32_t buckets) {
  const int64_t least = std::max(kWidthUsMin, span_us / std::max<int64_t>(1, buckets) + 1);
  for (const int64_t width : kNiceWidthsUs) {
    // One bucket more than span / width is touched when the span does not start at a bucket's edge.
    if (width >= least && span_us / width + 2 <= std::max<int64_t>(2, buckets)) return width;
  }
  return std::max(kNiceWidthsUs.back(), (least / base::kDayUs + 1) * base::kDayUs);
}

// Counts the hunts that run at once, for as long as it lives.
class RunningHunt {
 public:
  explicit RunningHunt(std::atomic<int>& running) : running_(running), admitted_(++running <= kHuntsAtOnceMax) {}
  ~RunningHunt() { --running_; }
  RunningHunt(const RunningHunt&) = delete;
  RunningHunt& operator=(const RunningHunt&) = delete;
  bool admitted() const { return admitted_; }

 private:
  std::atomic<int>& running_;
  bool admitted_;
};

int64_t integer_of(const store::Cell& cell) {
  const auto* number = std::get_if<int64_t>(&cell);
  return number != nullptr ? *number : 0;
}

// One row each, the latest first.
store::HuntResult rows_of(const rules::Correlation& correlation, const std::vector<rules::correlation::Firing>& firings,
                          uint32_t rows_max) {
  using event::Field;
  store::HuntResult result;
  result.columns = {{.name = std::string(event::info(Field::event_time).name), .field = Field::event_time}};
  for (const std::string& name : correlation.definition.group_by) result.columns.push_back({.name = name, .field = {}});
  result.columns.push_back({.name = "events", .field = {}});
  for (size_t i = firings.size(); i-- > 0 && result.rows.size() < rows_max;) {
    std::vector<store::Cell> row = {firings[i].last_us};
    for (const std::string& value : firings[i].group) row.emplace_back(value);
    row.emplace_back(static_cast<int64_t>(firings[i].count));
    result.rows.push_back(std::move(row));
  }
  return result;
}

// Which events count for the values of the field.
query::Expression has_value(event::Field field, const std::string& contains) {
  using query::Expression;
  using query::Operator;
  std::vector<Expression> all;
  all.push_back(Expression::test(field, Operator::exists, {}));
  const event::FieldType type = event::info(field).type;
  const bool words = type == event::FieldType::text || type == event::FieldType::keyword;
  const bool exact = type == event::FieldType::id || type == event::FieldType::hash;
  if (!contains.empty() && field != event::Field::event_type && (words || exact)) {
    all.push_back(Expression::test(field, words ? Operator::contains : Operator::starts_with, {contains}));
  }
  return Expression::all_of(std::move(all));
}

// Distinct, times left out.
std::vector<event::Field> countable_fields(std::string_view name) {
  std::vector<event::Field> fields;
  for (const event::NamedField& meaning : event::fields_named(name)) {
    const bool time = event::info(meaning.field).type == event::FieldType::time;
    const bool known = std::find(fields.begin(), fields.end(), meaning.field) != fields.end();
    if (!time && !known && meaning.field != event::Field::attributes && fields.size() < kMeaningsMax) {
      fields.push_back(meaning.field);
    }
    if (meaning.family == event::NameFamily::canonical) break;
  }
  return fields;
}

Error busy() { return {Errc::exhausted, "other hunts are running: try again in a moment"}; }

// Tells `found` which of the rows that it is told are of the page.
store::RowsFound rows_of_page(const HuntPage& page, const store::RowsFound& found) {
  return [page, &found, before = size_t{0}](const store::HuntResult& part) mutable {
    const size_t begin = std::clamp<size_t>(page.offset, before, before + part.rows.size());
    const size_t end = std::clamp<size_t>(page.offset + page.limit, begin, before + part.rows.size());
    const auto rows = part.rows.begin() - static_cast<ptrdiff_t>(before);
    if (begin < end) found({.columns = part.columns, .rows = {rows + begin, rows + end}});
    before += part.rows.size();
  };
}

using Clock = std::chrono::steady_clock;

int64_t ms_since(Clock::time_point begun) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begun).count();
}

}  // namespace

HuntService::HuntService(store::EventStore& events, base::Metrics& metrics)
    : events_(events), hunts_(metrics.counter("redoubt_hunts_total", "hunts that were run")) {}

store::HuntLimits HuntService::limits(const Gone& gone) {
  return {.time_ms_max = kHuntTimeMs, .cancelled = [this, gone] { return stopping_.load() || (gone && gone()); }};
}

HuntOutcome<HuntAnswer> HuntService::run(const std::string& text, const HuntPage& page, const Gone& gone,
                                         const store::RowsFound& found) {
  auto hunt = query::parse_hunt(text, base::Time::now());
  if (!hunt) return tl::unexpected<HuntError>(hunt.error());
  const RunningHunt running(running_);
  if (!running.admitted()) return tl::unexpected<HuntError>(busy());
  // The store merges its sources row by row and knows no offset: what is skipped is read and dropped. One row more
  // than the page tells whether there are others. A limit in the text counts over all pages.
  const uint32_t wanted = page.offset + page.limit + 1;
  hunt->limit = hunt->limit_written ? std::min(hunt->limit, wanted) : wanted;
  const Clock::time_point begun = Clock::now();
  auto whole = events_.hunt(*hunt, limits(gone), found ? rows_of_page(page, found) : nullptr);
  if (!whole) return tl::unexpected<HuntError>(std::move(whole).error());
  hunts_.add();
  HuntAnswer answer{.result = *std::move(whole)};
  auto& rows = answer.result.rows;
  rows.erase(rows.begin(), rows.begin() + static_cast<ptrdiff_t>(std::min<size_t>(page.offset, rows.size())));
  if (rows.size() > page.limit) {
    rows.resize(page.limit);
    if (!answer.result.partial) answer.result.partial_why = "there are more rows than the limit";
    answer.result.partial = true;
  }
  answer.took_ms = ms_since(begun);
  return answer;
}

HuntOutcome<Histogram> HuntService::histogram(const std::string& text, uint32_t buckets, const Gone& gone) {
  const base::Time now = base::Time::now();
  auto hunt = query::parse_hunt(text, now);
  if (!hunt) return tl::unexpected<HuntError>(hunt.error());
  const RunningHunt running(running_);
  if (!running.admitted()) return tl::unexpected<HuntError>(busy());
  const base::Time until = hunt->until.value_or(now);
  int64_t since_us = hunt->since ? hunt->since->us : 0;
  if (!hunt->since) {
    // The oldest hit is where the picture starts.
    query::Hunt oldest{.where = hunt->where.clone(),
                       .until = hunt->until,
                       .direction = query::Direction::ascending,
                       .limit = 1,
                       .fields = {event::Field::event_time}};
    auto first = events_.hunt(oldest, limits(gone));
    if (!first) return tl::unexpected<HuntError>(std::move(first).error());
    since_us = first->rows.empty() ? until.us : integer_of(first->rows[0][0]);
  }
  Histogram histogram{.width_us = nice_width(std::max<int64_t>(until.us - since_us, 1), buckets)};
  auto counted = events_.histogram(*hunt, histogram.width_us, limits(gone));
  if (!counted) return tl::unexpected<HuntError>(std::move(counted).error());
  for (const auto& row : counted->rows) {
    histogram.buckets.emplace_back(base::Time{integer_of(row[0])}, integer_of(row[1]));
  }
  return histogram;
}

Result<Backtest> HuntService::backtest(const query::Expression& where, const HistoryRange& range, uint32_t events_max) {
  const RunningHunt running(running_);
  if (!running.admitted()) return tl::unexpected(busy());
  const Clock::time_point begun = Clock::now();
  const query::Hunt hunt{.where = where.clone(), .since = range.since, .until = range.until, .limit = events_max};
  TRY(const store::HuntResult counted, events_.histogram(hunt, base::kDayUs, limits()));
  TRY(store::HuntResult found, events_.hunt(hunt, limits()));
  hunts_.add();
  Backtest backtest{.events = std::move(found)};
  for (const auto& row : counted.rows) {
    backtest.days.emplace_back(base::Time{integer_of(row[0])}, integer_of(row[1]));
    backtest.hits += integer_of(row[1]);
  }
  backtest.partial = counted.partial || backtest.events.partial;
  backtest.partial_why = counted.partial ? counted.partial_why : backtest.events.partial_why;
  backtest.took_ms = ms_since(begun);
  return backtest;
}

Result<Backtest> HuntService::backtest(const rules::RuleSet& rules, size_t correlation, const HistoryRange& range,
                                       uint32_t firings_max) {
  const RunningHunt running(running_);
  if (!running.admitted()) return tl::unexpected(busy());
  const Clock::time_point begun = Clock::now();
  const query::Hunt within{.since = range.since, .until = range.until};
  TRY(const CorrelationHistory history, run_over_history(events_, rules, correlation, within, limits()));
  hunts_.add();
  Backtest backtest{.hits = static_cast<int64_t>(history.firings.size())};
  std::map<int64_t, int64_t> days;
  for (const auto& firing : history.firings) ++days[firing.last_us / base::kDayUs * base::kDayUs];
  for (const auto& [day_us, hits] : days) backtest.days.emplace_back(base::Time{day_us}, hits);
  backtest.events = rows_of(rules.correlations()[correlation], history.firings, firings_max);
  backtest.partial = history.partial;
  backtest.partial_why = history.partial_why;
  backtest.took_ms = ms_since(begun);
  return backtest;
}

HuntOutcome<std::monostate> HuntService::check(const std::string& text) {
  const auto hunt = query::parse_hunt(text, base::Time::now());
  if (!hunt) return tl::unexpected<HuntError>(hunt.error());
  return std::monostate{};
}

HuntOutcome<FieldValues> HuntService::values(const ValuesRequest& request, const Gone& gone) {
  const base::Time now = base::Time::now();
  const auto within = query::parse_hunt(request.query, now);
  if (!within) return tl::unexpected<HuntError>(within.error());
  const RunningHunt running(running_);
  if (!running.admitted()) return tl::unexpected<HuntError>(busy());
  store::HuntLimits limits = this->limits(gone);
  limits.time_ms_max = kValuesTimeMs;
  FieldValues found;
  for (const event::Field field : countable_fields(request.field)) {
    std::vector<query::Expression> both;
    both.push_back(within->where.clone());
    both.push_back(has_value(field, request.contains));
    auto where = query::normalize(query::Expression::all_of(std::move(both)));
    if (!where) return tl::unexpected<HuntError>(std::move(where).error());
    const query::Hunt hunt{.where = *std::move(where),
                           .since = within->since ? within->since : base::Time{now.us - base::kDayUs},
                           .until = within->until,
                           .limit = request.limit,
                           .aggregate = query::CountBy{field, request.limit}};
    auto counted = events_.hunt(hunt, limits);
    if (!counted) return tl::unexpected<HuntError>(std::move(counted).error());
    found.partial = found.partial || counted->partial;
    for (auto& row : counted->rows) found.values.emplace_back(std::move(row[0]), integer_of(row[1]));
  }
  std::stable_sort(found.values.begin(), found.values.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  if (found.values.size() > request.limit) found.values.resize(request.limit);
  return found;
}

}  // namespace redoubt::central
