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
#include "query/match/slots.h"

namespace redoubt::query::match {

using PredicateId = uint32_t;

// What tests said of the texts of the batch in hand, by the numbers of the texts. It may forget.
class TextVerdicts {
 public:
  enum class Known : uint8_t { no, is_false, is_true };

  // Numbers mean other texts from now on.
  void start_batch();
  Known find(PredicateId id, uint32_t text_number) const {
    const Cell& cell = cells_[place_of(id, text_number)];
    return cell.batch == batch_ && cell.predicate == id && cell.text_number == text_number ? cell.known : Known::no;
  }
  void keep(PredicateId id, uint32_t text_number, Known known) {
    cells_[place_of(id, text_number)] = {batch_, id, text_number, known};
  }

 private:
  static constexpr uint32_t kCellBits = 13;

  struct Cell {
    uint32_t batch = 0;
    PredicateId predicate = 0;
    uint32_t text_number : 24 = 0;
    Known known : 8 = Known::no;
  };
  static size_t place_of(PredicateId id, uint32_t text_number) {
    return (text_number * 0x9E3779B1U + id * 0x85EBCA77U) >> (32 - kCellBits);
  }

  std::vector<Cell> cells_;  // made with the first batch: a matcher that is never used takes no memory for this
  uint32_t batch_ = 1;
};

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
