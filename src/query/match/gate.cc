#include "query/match/gate.h"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>

#include "query/match/literal_parts.h"

namespace redoubt::query::match {

namespace {

using event::EventTypeSet;
using event::Field;

bool is_type_test(const Test& test) {
  const auto is_name = [](const Operand& operand) {
    const auto* name = std::get_if<std::string>(&operand);
    return name != nullptr && event::event_type_named(*name).has_value();
  };
  return test.field == Field::event_type && test.op == Operator::equal &&
         std::all_of(test.operands.begin(), test.operands.end(), is_name);
}

EventTypeSet named_types(const Test& test) {
  EventTypeSet types = 0;
  for (const Operand& operand : test.operands) {
    types |= event::set_of(*event::event_type_named(std::get<std::string>(operand)));
  }
  return types;
}

struct TypeFinder {
  EventTypeSet operator()(const And& node) const {
    EventTypeSet types = event::kAllEventTypes;
    for (const Expression& child : node.children) types &= possible_types(child);
    return types;
  }
  EventTypeSet operator()(const Or& node) const {
    EventTypeSet types = 0;
    for (const Expression& child : node.children) types |= possible_types(child);
    return types;
  }
  EventTypeSet operator()(const Not& node) const {
    const auto* test = std::get_if<Test>(&node.child->node);
    return test != nullptr && is_type_test(*test) ? ~named_types(*test) : event::kAllEventTypes;
  }
  EventTypeSet operator()(const Test& test) const {
    return is_type_test(test) ? named_types(test) : event::kAllEventTypes;
  }
};

// The fields that say what kind of record an event is, the telling ones first.
constexpr auto kKindFields =
    std::to_array<Field>({Field::event_code, Field::log_service, Field::log_channel, Field::log_category,
                          Field::event_provider, Field::log_product, Field::host_os_family});

constexpr size_t kKindTriggersMax = 64;

// Where the field of an equality is one of those; kKindFields.size() for other sets.
size_t kind_rank(const TriggerSet& set) {
  const auto& first = set.front();
  if (first.kind != TriggerKind::whole && first.kind != TriggerKind::number) return kKindFields.size();
  const auto* const at = std::find_if(kKindFields.begin(), kKindFields.end(),
                                      [&](Field field) { return static_cast<SlotId>(field) == first.slot; });
  const bool alike = std::all_of(set.begin(), set.end(), [&](const Trigger& each) { return each.slot == first.slot; });
  if (!alike || set.size() > kKindTriggersMax) return kKindFields.size();
  return static_cast<size_t>(at - kKindFields.begin());
}

double total_chance(const TriggerSet& set, const TriggerChances& chances) {
  double sum = 0;
  for (const Trigger& trigger : set) sum += chances.chance(trigger);
  return sum;
}

struct TriggerFinder {
  SlotTable& slots;
  const TriggerChances& chances;

  std::vector<TriggerSet> find(const Expression& expression) const { return std::visit(*this, expression.node); }

  std::vector<TriggerSet> operator()(const And& node) const {
    std::vector<TriggerSet> sets;
    for (const Expression& child : node.children) {
      auto found = find(child);
      std::move(found.begin(), found.end(), std::back_inserter(sets));
    }
    return sets;
  }

  // One set of each child; the combinations of all would be too many.
  std::vector<TriggerSet> operator()(const Or& node) const {
    TriggerSet all;
    for (const Expression& child : node.children) {
      auto found = find(child);
      if (found.empty()) return {};
      auto& best = *std::min_element(found.begin(), found.end(), [this](const TriggerSet& a, const TriggerSet& b) {
        return total_chance(a, chances) < total_chance(b, chances);
      });
      std::move(best.begin(), best.end(), std::back_inserter(all));
    }
    if (all.empty()) return {};
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return {std::move(all)};
  }

  std::vector<TriggerSet> operator()(const Not&) const { return {}; }

  std::vector<TriggerSet> operator()(const Test& test) const {
    TriggerSet set = triggers_of(test, slots);
    if (set.empty()) return {};
    std::sort(set.begin(), set.end());
    set.erase(std::unique(set.begin(), set.end()), set.end());
    return {std::move(set)};
  }
};

struct TriggerCounter {
  SlotTable& slots;
  TriggerChances& chances;

  void count(const Expression& expression) const { std::visit(*this, expression.node); }
  void operator()(const And& node) const {
    for (const Expression& child : node.children) count(child);
  }
  void operator()(const Or& node) const {
    for (const Expression& child : node.children) count(child);
  }
  void operator()(const Not&) const {}
  void operator()(const Test& test) const {
    for (const Trigger& trigger : triggers_of(test, slots)) chances.count(trigger);
  }
};

// Nanoseconds, roughly: of looking at a rule that then does not match, and of what a finder does with one text.
constexpr double kCandidateCost = 60;
constexpr auto kFindingCost = std::to_array<double>({15, 15, 20, 120, 10, 60});  // by TriggerKind
constexpr double kEveryAttributeFactor = 20;

uint64_t use_of(const Trigger& trigger, EventTypeSet types) {
  return uint64_t{trigger.slot} << 16 | static_cast<uint64_t>(trigger.kind) << 8 |
         static_cast<uint64_t>(std::countr_zero(types | EventTypeSet{1} << (event::kEventTypesMax - 1)));
}

}  // namespace

EventTypeSet possible_types(const Expression& expression) { return std::visit(TypeFinder{}, expression.node); }

std::vector<TriggerSet> necessary_triggers(const Expression& expression, SlotTable& slots,
                                           const TriggerChances& chances) {
  return TriggerFinder{slots, chances}.find(expression);
}

TriggerSet excluding_triggers(const Expression& expression, SlotTable& slots) {
  const auto* all = std::get_if<And>(&expression.node);
  if (all == nullptr) return {};
  for (const Expression& child : all->children) {
    const auto* negation = std::get_if<Not>(&child.node);
    const auto* test = negation != nullptr ? std::get_if<Test>(&negation->child->node) : nullptr;
    if (test == nullptr || test->field != Field::host_os_family || test->op != Operator::equal) continue;
    // Any of its operands makes the test true, so those that are no constants may be left out; triggers_of() leaves out
    // all then, and nothing is excluded.
    return triggers_of(*test, slots);
  }
  return {};
}

void count_triggers(const Expression& expression, SlotTable& slots, TriggerChances& chances) {
  TriggerCounter{slots, chances}.count(expression);
}

// The rules that have a trigger of a slot and kind share the cost of looking for it.
double GateChooser::weight(const TriggerSet& set, EventTypeSet types) const {
  double weight = total_chance(set, chances_) * kCandidateCost;
  std::array<SlotId, kFindingCost.size()> seen{};
  seen.fill(UINT32_MAX);
  for (const Trigger& trigger : set) {
    const auto kind = static_cast<size_t>(trigger.kind);
    if (seen[kind] == trigger.slot) continue;
    seen[kind] = trigger.slot;
    const auto users = users_.find(use_of(trigger, types));
    const double cost = kFindingCost[kind] * (trigger.slot == kEveryAttribute ? kEveryAttributeFactor : 1);
    weight += cost / (1 + (users == users_.end() ? 0 : users->second));
  }
  return weight;
}

void GateChooser::consider(const std::vector<TriggerSet>& sets, EventTypeSet types) {
  for (const TriggerSet& set : sets) {
    const Trigger* last = nullptr;
    for (const Trigger& trigger : set) {
      if (last != nullptr && last->slot == trigger.slot && last->kind == trigger.kind) continue;
      ++users_[use_of(trigger, types)];
      last = &trigger;
    }
  }
}

Gate GateChooser::choose(std::vector<TriggerSet> sets, EventTypeSet types) const {
  Gate gate;
  const auto kind = std::min_element(
      sets.begin(), sets.end(), [](const TriggerSet& a, const TriggerSet& b) { return kind_rank(a) < kind_rank(b); });
  if (kind != sets.end() && kind_rank(*kind) < kKindFields.size()) gate.kind = *kind;
  std::erase_if(sets, [](const TriggerSet& set) { return kind_rank(set) < kKindFields.size(); });
  const auto best = std::min_element(sets.begin(), sets.end(), [&](const TriggerSet& a, const TriggerSet& b) {
    return weight(a, types) < weight(b, types);
  });
  if (best != sets.end()) gate.triggers = std::move(*best);
  return gate;
}

}  // namespace redoubt::query::match
