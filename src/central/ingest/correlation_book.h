// The correlations of the node: counts the hits of each batch and keeps what was counted in the state database, in the
// transaction of the detections. So a crash at any point neither loses a firing nor makes one twice: either both are
// durable, or the batch is judged again and counts for the first time. Any thread.
//
// What was counted is one state, written from time to time, and a journal of what came since: one row for each batch
// that changed something.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "central/alerts/alert_book.h"
#include "central/rules/rule_snapshot.h"
#include "query/match/matcher.h"
#include "rules/correlation/correlator.h"
#include "store/state/state_db.h"

namespace redoubt::central {

extern const std::string_view kCorrelationsMigration;

// The journal is written into a new state when it is larger than this and than the state.
constexpr size_t kCorrelationJournalBytes = size_t{4} << 20;

class CorrelationBook {
 public:
  // Takes up what was counted before. A state that cannot be read is reported and counting starts anew. The parts
  // outlive it.
  static Result<std::unique_ptr<CorrelationBook>> open(store::StateDb& state, AlertBook& alerts,
                                                       std::shared_ptr<const RuleSnapshot> rules,
                                                       base::Metrics& metrics);

  // Stores the detections of a batch and what correlations make of its hits, which index matched.rules(); all or none,
  // durable on return. How many detections were new.
  Result<size_t> store(const RuleSnapshot& matched, const std::string& host_id, const event::Batch& batch,
                       std::span<const query::match::Hit> hits, std::vector<NewDetection> detections);

  // Goes on with other rules: correlations that are the same keep what they counted. A batch that was matched before
  // and is stored afterwards counts by the ids of its rules. A correlation that is off counts on and makes no
  // detection.
  Status reload(std::shared_ptr<const RuleSnapshot> rules);

 private:
  CorrelationBook(store::StateDb& state, AlertBook& alerts, base::Metrics& metrics);
  Status load();
  void add_firings(const rules::correlation::Outcome& outcome, const event::Batch& batch,
                   std::vector<NewDetection>& detections) const;
  Status write_state();
  void report();

  store::StateDb& state_;
  AlertBook& alerts_;
  base::Metric &groups_, &bytes_, &groups_given_up_, &events_given_up_, &events_late_, &firings_;
  std::mutex mutex_;
  std::shared_ptr<const RuleSnapshot> rules_;
  std::unique_ptr<rules::correlation::Correlator> correlator_;  // null: no correlations
  bool torn_ = false;         // memory is ahead of what is durable: it is loaded again
  size_t journal_bytes_ = 0;  // since the state was written
  size_t state_bytes_ = 0;
  rules::correlation::GivenUp reported_;
};

}  // namespace redoubt::central
