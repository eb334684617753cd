// What a rule cannot do without: the event types it can be true of, and sets of triggers one of which fires wherever it
// is true. Any thread.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "query/expression.h"
#include "query/match/estimate.h"
#include "query/match/finder.h"

namespace redoubt::query::match {

// The types of events of which the expression can be true.
event::EventTypeSet possible_types(const Expression& expression);

// Wherever the expression is true, one of the triggers fires.
using TriggerSet = std::vector<Trigger>;

// Every such set that the expression's shape gives, one for each part that must hold; none where there is none.
std::vector<TriggerSet> necessary_triggers(const Expression& expression, SlotTable& slots,
                                           const TriggerChances& chances);

// Triggers of an operating system of which the rule says that it is not true there.
TriggerSet excluding_triggers(const Expression& expression, SlotTable& slots);

// Calls for each trigger that necessary_triggers() weighs.
void count_triggers(const Expression& expression, SlotTable& slots, TriggerChances& chances);

// How a rule is found.
struct Gate {
  // Of one slot: where one of them fires, the rule is not true. Empty where nothing is known.
  TriggerSet excluded;
  // Both are tested one after the other: on most events the first, which says what kind of record the event is, does
  // not fire, and the second need not be looked for. Either may be missing; without both the rule is always evaluated.
  TriggerSet kind;
  TriggerSet triggers;
};

// Chooses gates: of several rules, so that few slots need a scan.
class GateChooser {
 public:
  explicit GateChooser(const TriggerChances& chances) : chances_(chances) {}
  // First the necessary triggers of all rules are considered, then a gate is chosen for each rule.
  void consider(const std::vector<TriggerSet>& sets, event::EventTypeSet types);
  Gate choose(std::vector<TriggerSet> sets, event::EventTypeSet types) const;

 private:
  double weight(const TriggerSet& set, event::EventTypeSet types) const;

  const TriggerChances& chances_;
  std::unordered_map<uint64_t, uint32_t> users_;  // rules by first type, slot and kind of their triggers
};

}  // namespace redoubt::query::match
