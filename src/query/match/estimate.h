// What a test is likely to cost and how likely it holds, before any event was seen: for the order of evaluation and
// for the choice of what rules are found by. Guesses only; no result depends on them. Any thread.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "query/expression.h"
#include "query/match/finder.h"

namespace redoubt::query::match {

// Of evaluating an expression: nanoseconds, roughly.
struct Estimate {
  double cost = 0;
  double chance = 0;  // that it holds
};
Estimate estimate(const Test& test);
Estimate estimate(const Expression& expression);

// How often a trigger fires on events that have its slot. What many rules name, such as a shell's path, is what events
// often have too.
class TriggerChances {
 public:
  // Once a rule that could be found by the trigger.
  void count(const Trigger& trigger);
  double chance(const Trigger& trigger) const;

 private:
  std::unordered_map<uint64_t, uint32_t> rules_;  // by hash of the trigger
};

}  // namespace redoubt::query::match
