// The distinct tests of all rules, each with a number, and their truth for one event: found at most once, text folded
// at most once a field. PredicateSet is read-only after build(); a Scratch belongs to one thread.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "event/batch.h"
#include "query/expression.h"
#include "query/match/literals.h"
#include "query/semantics.h"

namespace re2 {
class RE2;
}

namespace redoubt::query::match {

using GroupId = uint32_t;

// What is known of the event in hand. Stamps hold the number of the event for which an entry counts, so that nothing is
// cleared between events.
struct Scratch {
  uint32_t event = 0;
  const event::Row* row = nullptr;
  std::vector<uint32_t> known;  // by PredicateId
  std::vector<uint32_t> holds;
  std::vector<uint32_t> group_done;  // by GroupId
  std::vector<PredicateId> fired;    // predicates that a group found true, in any order
  std::array<std::string, event::kFieldCount> folded;
  std::array<uint32_t, event::kFieldCount> folded_for{};
  std::string folded_attribute;  // of the latest attribute that was asked for

  void next_event(const event::Row& next);
};

class PredicateSet {
 public:
  PredicateSet();
  PredicateSet(PredicateSet&&) noexcept;
  PredicateSet& operator=(PredicateSet&&) noexcept;
  ~PredicateSet();

  // The number of the test; the same for equal tests.
  Result<PredicateId> intern(const Test& test);
  // After the last intern().
  void build();
  size_t size() const;
  size_t group_count() const;

  // The group that finds this predicate (and others with it) in one pass; none if it is evaluated alone.
  static constexpr GroupId kNoGroup = UINT32_MAX;
  GroupId group_of(PredicateId id) const;

  bool holds(PredicateId id, Scratch& scratch) const;
  // Finds every predicate of the group that holds, once an event.
  void run_group(GroupId id, Scratch& scratch) const;

 private:
  struct Predicate;
  struct Group;

  GroupId group_for(const Test& test);
  // False if the operand is another field, which no table holds.
  bool add_to_group(GroupId id, const Test& test, const Operand& operand, PredicateId predicate);
  bool evaluate(const Predicate& predicate, Scratch& scratch) const;
  bool evaluate_text(const Predicate& predicate, std::string_view text, Scratch& scratch) const;

  std::vector<Predicate> predicates_;
  std::vector<Group> groups_;
  std::unordered_map<std::string, PredicateId> numbers_;  // by to_text()
};

}  // namespace redoubt::query::match
