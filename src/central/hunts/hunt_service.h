// Hunts for people: parses hunting text, runs it over the event store within limits of time and number; the same for
// the expression of a rule. Blocks while the store works; any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <variant>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "query/diagnostic.h"
#include "rules/rule_set.h"
#include "store/events/event_store.h"

namespace redoubt::central {

constexpr uint32_t kHuntRowsDefault = 1000;
constexpr uint32_t kHuntOffsetMax = 100'000;
constexpr uint32_t kHistogramBucketsMax = 500;
constexpr int kHuntsAtOnceMax = 4;
constexpr uint32_t kValuesMax = 100;

// A mistake in the query, or a failure of the node.
using HuntError = std::variant<query::Diagnostic, Error>;
template <class T>
using HuntOutcome = tl::expected<T, HuntError>;

struct HuntPage {
  uint32_t limit = kHuntRowsDefault;
  uint32_t offset = 0;
};

struct HuntAnswer {
  store::HuntResult result;
  int64_t took_ms = 0;
};

struct Histogram {
  int64_t width_us = 0;
  std::vector<std::pair<base::Time, int64_t>> buckets;
};

// The values that a field had in the events that a query finds, within its time, a day where it says none.
struct ValuesRequest {
  std::string field;
  std::string contains;  // of the value; empty: any value; of numbers and addresses not looked at
  std::string query;
  uint32_t limit = 10;
};

struct FieldValues {
  std::vector<std::pair<store::Cell, int64_t>> values;  // with their number of events, the commonest first
  bool partial = false;
};

// A stretch of stored history; `until` is not part of it.
struct HistoryRange {
  base::Time since, until;
};

// What a rule would have found.
struct Backtest {
  int64_t hits = 0;                                  // events, on all days
  std::vector<std::pair<base::Time, int64_t>> days;  // midnight UTC; days without hits are left out
  store::HuntResult events;                          // the newest ones, no more than asked for
  bool partial = false;                              // a limit cut the search short: there may be more hits
  std::string partial_why;
  int64_t took_ms = 0;
};

class HuntService {
 public:
  HuntService(store::EventStore& events, base::Metrics& metrics);

  // Where nobody waits for an answer any more, it is given up, and leaves its place to others.
  using Gone = std::function<bool()>;
  // `found` is told rows of the page while others are still looked for; the answer has them, too.
  HuntOutcome<HuntAnswer> run(const std::string& text, const HuntPage& page, const Gone& gone = {},
                              const store::RowsFound& found = {});
  HuntOutcome<Histogram> histogram(const std::string& text, uint32_t buckets, const Gone& gone = {});
  HuntOutcome<std::monostate> check(const std::string& text);
  // For people who are about to choose one: takes a few seconds at most. Times have none.
  HuntOutcome<FieldValues> values(const ValuesRequest& request, const Gone& gone = {});
  // Runs a rule's expression over history. The days are those that the range touches; its hits lie within it.
  Result<Backtest> backtest(const query::Expression& where, const HistoryRange& range, uint32_t events_max);

  // The same of the correlation at that place in rules.correlations(): its rows are the latest firings.
  Result<Backtest> backtest(const rules::RuleSet& rules, size_t correlation, const HistoryRange& range,
                            uint32_t firings_max);

  // Cancels what runs and refuses what comes.
  void stop() { stopping_ = true; }

 private:
  store::HuntLimits limits(const Gone& gone = {});

  store::EventStore& events_;
  base::Metric& hunts_;
  std::atomic<bool> stopping_{false};
  std::atomic<int> running_{0};
};

}  // namespace redoubt::central
