#include "query/match/gate.h"

#include <algorithm>

namespace redoubt::query::match {

namespace {

using event::EventTypeSet;

bool is_type_test(const Test& test) {
  const auto is_name = [](const Operand& operand) {
    const auto* name = std::get_if<std::string>(&operand);
    return name != nullptr && event::event_type_named(*name).has_value();
  };
  return test.field == event::Field::event_type && test.op == Operator::equal &&
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

struct Necessary {
  std::vector<const Test*> tests;
  int cost = 0;
};

using MaybeNecessary = std::optional<Necessary>;

MaybeNecessary find_necessary(const Expression& expression);

struct NecessaryFinder {
  MaybeNecessary operator()(const And& node) const {
    MaybeNecessary best;
    for (const Expression& child : node.children) {
      MaybeNecessary found = find_necessary(child);
      if (found && (!best || found->cost < best->cost)) best = std::move(found);
    }
    return best;
  }
  MaybeNecessary operator()(const Or& node) const {
    Necessary all;
    for (const Expression& child : node.children) {
      MaybeNecessary found = find_necessary(child);
      if (!found) return std::nullopt;
      all.tests.insert(all.tests.end(), found->tests.begin(), found->tests.end());
      all.cost += found->cost;
    }
    return all;
  }
  MaybeNecessary operator()(const Not&) const { return std::nullopt; }
  MaybeNecessary operator()(const Test& test) const {
    // Types are the first index already, and most events have most fields.
    if (test.field == event::Field::event_type || test.op == Operator::exists) return std::nullopt;
    return Necessary{.tests = {&test}, .cost = cost_of(test)};
  }
};

MaybeNecessary find_necessary(const Expression& expression) { return std::visit(NecessaryFinder{}, expression.node); }

}  // namespace

EventTypeSet possible_types(const Expression& expression) { return std::visit(TypeFinder{}, expression.node); }

std::optional<std::vector<const Test*>> necessary_tests(const Expression& expression) {
  MaybeNecessary found = find_necessary(expression);
  if (!found) return std::nullopt;
  return std::move(found->tests);
}

// In the order of the work for one event; literals are shared work.
int cost_of(const Test& test) {
  switch (test.op) {
    case Operator::exists:
    case Operator::equal: return 1;
    case Operator::ends_with:
    case Operator::starts_with: return 2;
    case Operator::less:
    case Operator::less_equal:
    case Operator::greater:
    case Operator::greater_equal: return 3;
    case Operator::contains: return 4;
    case Operator::cidr: return 6;
    case Operator::like: return 8;
    case Operator::regex: return 20;
  }
  return 0;
}

}  // namespace redoubt::query::match
