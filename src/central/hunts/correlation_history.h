// A correlation over stored history: what its rules match is read from the store, put in order of time and counted as
// it would have been. Used by hunt_service.cc. Any thread.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "rules/correlation/correlator.h"
#include "store/events/event_store.h"

namespace redoubt::central {

// Hits of rules that are counted at most; what is older counts first.
constexpr uint32_t kHistoryHitsMax = 200'000;

struct CorrelationHistory {
  std::vector<rules::correlation::Firing> firings;  // in order of time
  bool partial = false;                             // a limit cut the search short: there may be more
  std::string partial_why;
};

// Of the correlation at that place in rules.correlations(). `within.where` is not looked at; `since` and `until` are
// set.
Result<CorrelationHistory> run_over_history(store::EventStore& events, const rules::RuleSet& rules, size_t correlation,
                                            const query::Hunt& within, const store::HuntLimits& limits);

}  // namespace redoubt::central
