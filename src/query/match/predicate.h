// The distinct tests of all rules, each with a number, and their truth for the event in hand: found when a rule asks
// for it, and once an event. PredicateSet is read-only after build(); a Verdicts belongs to one thread.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "query/expression.h"
#include "query/match/literals.h"
#include "query/match/memo.h"
#include "query/match/slots.h"

namespace redoubt::query::match {

using PredicateId = uint32_t;

class PredicateSet {
 public:
  explicit PredicateSet(SlotTable& slots);
  ~PredicateSet();

  // The number of the test; the same for equal tests.
  Result<PredicateId> intern(const Test& test);
  // After the last intern().
  Status build(LiteralScanner::Engine engine, ScanScratch& scratch);
  size_t size() const { return predicates_.size(); }

  struct Scratch {
    EventView& event;
    ScanScratch& scan;
    std::vector<LiteralId>& found;  // by scans; nobody reads it afterwards
    TextVerdicts& texts;
  };
  bool holds(PredicateId id, const Scratch& scratch) const;

 private:
  struct Predicate;

  Status add_constants(const Test& test, Predicate& predicate);
  bool slot_holds(PredicateId id, const Predicate& predicate, const Scratch& scratch) const;
  bool value_holds(const Predicate& predicate, const event::Value& value, const Scratch& scratch) const;
  bool parts_hold(PredicateId id, const Predicate& predicate, const PartedText& parted, const Scratch& scratch) const;
  bool literal_holds(const Predicate& predicate, std::string_view text, const Scratch& scratch) const;
  bool text_holds_any(const Predicate& predicate, std::string_view raw, const Scratch& scratch) const;

  SlotTable& slots_;
  std::vector<std::unique_ptr<Predicate>> predicates_;
  std::unordered_map<std::string, PredicateId> numbers_;  // by to_text(); while rules are compiled
};

// What is known of the event in hand. Stamps hold the number of the event for which an entry counts.
class Verdicts {
 public:
  void resize(size_t predicates) { entries_.resize(predicates); }
  void start_event();
  bool holds(PredicateId id, const PredicateSet& predicates, const PredicateSet::Scratch& scratch) {
    uint32_t& entry = entries_[id];
    if (entry >> 1 != event_) entry = event_ << 1 | static_cast<uint32_t>(predicates.holds(id, scratch));
    return (entry & 1) != 0;
  }

 private:
  uint32_t event_ = 0;
  std::vector<uint32_t> entries_;  // the event's number, doubled, and one if it holds
};

}  // namespace redoubt::query::match
