// Judges stored events: matches them against the rules, makes every hit a detection and lets correlations count it;
// durable when judge() returns.
// The same for live frames and for those replayed after a crash; judging twice changes nothing. Any thread.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "central/ingest/correlation_book.h"
#include "central/rules/rule_snapshot.h"
#include "event/batch.h"

namespace redoubt::central {

using RuleCounters = std::map<std::string, query::match::RuleCounter, std::less<>>;  // by rule id

class Judge {
 public:
  // One matcher a worker. The parts outlive the judge.
  static Result<std::unique_ptr<Judge>> make(std::shared_ptr<const RuleSnapshot> rules, CorrelationBook& correlations,
                                             base::Metrics& metrics, size_t workers);
  ~Judge();

  Status judge(const std::string& host_id, const event::Batch& batch);

  // Makes matchers for the rules, in the caller's thread, and judges by them from the next batch on. Batches in hand
  // end with the rules that they began with. The one place where rules change: state that rules keep is carried over
  // here.
  Status replace(std::shared_ptr<const RuleSnapshot> rules);

  // By rule id, since the start; rules that were replaced keep what they had.
  RuleCounters counters() const;

 private:
  struct Generation;
  struct Matched {
    std::shared_ptr<Generation> generation;  // whose rules the hits index
    std::vector<query::match::Hit> hits;
  };

  Judge(CorrelationBook& correlations, base::Metrics& metrics, size_t workers);
  Matched match(const event::Batch& batch);
  static void add_counters(const Generation& generation, RuleCounters& sums);

  CorrelationBook& correlations_;
  base::Metric& detections_;
  const size_t workers_;
  mutable std::mutex mutex_;
  std::condition_variable freed_;
  std::shared_ptr<Generation> current_;
  RuleCounters past_;  // of generations that are done
};

}  // namespace redoubt::central
