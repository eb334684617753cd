// Judges stored events: matches them against the rules, makes every hit a detection and lets correlations count it;
// durable when judge() returns.
// The same for live frames and for those replayed after a crash; judging twice changes nothing. Any thread.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "central/ingest/correlation_book.h"
#include "event/batch.h"
#include "rules/falco/rule_matching.h"
#include "rules/rule_set.h"

namespace redoubt::central {

class Judge {
 public:
  // One matcher a worker. The parts outlive the judge.
  static Result<std::unique_ptr<Judge>> make(const rules::RuleSet& rules, CorrelationBook& correlations,
                                             base::Metrics& metrics, size_t workers);

  // Before the first judge(); `all` unless said.
  void set_falco_matching(rules::falco::RuleMatching matching) { falco_matching_ = matching; }

  Status judge(const std::string& host_id, const event::Batch& batch);

 private:
  Judge(const rules::RuleSet& rules, CorrelationBook& correlations, base::Metrics& metrics);
  std::vector<query::match::Hit> match(const event::Batch& batch);

  const rules::RuleSet& rules_;
  CorrelationBook& correlations_;
  base::Metric& detections_;
  rules::falco::RuleMatching falco_matching_ = rules::falco::RuleMatching::all;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<query::match::Matcher> free_;
};

}  // namespace redoubt::central
