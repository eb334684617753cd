#include "store/events/plan.h"

#include <algorithm>

namespace redoubt::store {

namespace {

using event::Field;

struct FieldCollector {
  event::FieldSet& set;
  const TestCheck& read;

  void visit(const query::Expression& expression) { std::visit(*this, expression.node); }
  void operator()(const query::And& node) {
    for (const query::Expression& child : node.children) visit(child);
  }
  void operator()(const query::Or& node) {
    for (const query::Expression& child : node.children) visit(child);
  }
  void operator()(const query::Not& node) { visit(*node.child); }
  void operator()(const query::Test& test) {
    if (!read(test)) return;
    add_field(set, test.field);
    for (const query::Operand& operand : test.operands) {
      if (const auto* field = std::get_if<Field>(&operand)) add_field(set, *field);
      if (std::holds_alternative<query::AttributeName>(operand)) add_field(set, Field::attributes);
    }
  }
};

struct FigureCollector {
  const query::Hunt& hunt;
  event::FieldSet& set;

  void operator()(const std::monostate&) const {
    add_field(set, hunt.sort);
    add_field(set, Field::event_sequence);
    add_field(set, Field::host_id);
  }
  void operator()(const query::CountBy& by) const { add_field(set, by.field); }
  void operator()(const query::CountPer&) const {}
  void operator()(const query::Distinct& distinct) const { add_field(set, distinct.field); }
  void operator()(const query::Rare& rare) const {
    add_field(set, rare.field);
    add_field(set, rare.by);
  }
};

struct MatchPossibility {
  const TestCheck& may_hold;

  bool operator()(const query::And& node) const {
    return std::all_of(node.children.begin(), node.children.end(),
                       [&](const query::Expression& child) { return std::visit(*this, child.node); });
  }
  bool operator()(const query::Or& node) const {
    return std::any_of(node.children.begin(), node.children.end(),
                       [&](const query::Expression& child) { return std::visit(*this, child.node); });
  }
  bool operator()(const query::Not&) const { return true; }
  bool operator()(const query::Test& test) const { return may_hold(test); }
};

// A set of types, or nothing where other fields are asked.
struct TypeCollector {
  using Types = std::optional<event::EventTypeSet>;

  Types operator()(const query::And& node) const {
    Types types = event::kAllEventTypes;
    for (const query::Expression& child : node.children) {
      const Types more = std::visit(*this, child.node);
      types = types && more ? Types(*types & *more) : std::nullopt;
    }
    return types;
  }
  Types operator()(const query::Or& node) const {
    Types types = event::EventTypeSet{0};
    for (const query::Expression& child : node.children) {
      const Types more = std::visit(*this, child.node);
      types = types && more ? Types(*types | *more) : std::nullopt;
    }
    return types;
  }
  Types operator()(const query::Not& node) const {
    const Types types = std::visit(*this, node.child->node);
    return types ? Types(~*types) : std::nullopt;
  }
  Types operator()(const query::Test& test) const {
    if (test.field != Field::event_type) return std::nullopt;
    if (test.op == query::Operator::exists) return ~set_of(event::EventType::none);
    if (test.op != query::Operator::equal) return std::nullopt;
    event::EventTypeSet types = 0;
    for (const query::Operand& operand : test.operands) {
      const auto* name = std::get_if<std::string>(&operand);
      if (name == nullptr) return std::nullopt;
      if (const auto type = event::event_type_named(*name)) types |= set_of(*type);
    }
    return types;
  }
};

}  // namespace

event::FieldSet fields_of(const query::Expression& where, const TestCheck& read) {
  event::FieldSet set{};
  FieldCollector{set, read}.visit(where);
  return set;
}

event::FieldSet fields_searched(const query::Hunt& hunt, const TestCheck& read) {
  event::FieldSet set = fields_of(hunt.where, read);
  add_field(set, Field::event_time);
  std::visit(FigureCollector{hunt, set}, hunt.aggregate);
  return set;
}

event::FieldSet fields_of(const query::Hunt& hunt) {
  event::FieldSet set = fields_searched(hunt, [](const query::Test&) { return true; });
  if (hunt.aggregate.index() != 0) return set;
  for (const Field field : hunt.fields) add_field(set, field);
  if (!hunt.fields.empty()) return set;
  for (const event::FieldInfo& info : event::kFields) add_field(set, info.field);
  return set;
}

bool may_match(const query::Expression& where, const TestCheck& may_hold) {
  return std::visit(MatchPossibility{may_hold}, where.node);
}

std::optional<event::EventTypeSet> types_only(const query::Expression& where) {
  return std::visit(TypeCollector{}, where.node);
}

}  // namespace redoubt::store
