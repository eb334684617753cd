#include "store/events/plan.h"

#include <algorithm>

namespace redoubt::store {

namespace {

using event::Field;

struct FieldCollector {
  event::FieldSet& set;

  void visit(const query::Expression& expression) { std::visit(*this, expression.node); }
  void operator()(const query::And& node) {
    for (const query::Expression& child : node.children) visit(child);
  }
  void operator()(const query::Or& node) {
    for (const query::Expression& child : node.children) visit(child);
  }
  void operator()(const query::Not& node) { visit(*node.child); }
  void operator()(const query::Test& test) {
    add_field(set, test.field);
    for (const query::Operand& operand : test.operands) {
      if (const auto* field = std::get_if<Field>(&operand)) add_field(set, *field);
      if (std::holds_alternative<query::AttributeName>(operand)) add_field(set, Field::attributes);
    }
  }
};

struct ShownCollector {
  const query::Hunt& hunt;
  event::FieldSet& set;

  void operator()(const std::monostate&) const {
    add_field(set, hunt.sort);
    add_field(set, Field::event_sequence);
    for (const Field field : hunt.fields) add_field(set, field);
    if (!hunt.fields.empty()) return;
    for (const event::FieldInfo& info : event::kFields) add_field(set, info.field);
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
  const std::function<bool(const query::Test&)>& may_hold;

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

}  // namespace

event::FieldSet fields_of(const query::Expression& where) {
  event::FieldSet set{};
  FieldCollector{set}.visit(where);
  return set;
}

event::FieldSet fields_of(const query::Hunt& hunt) {
  event::FieldSet set = fields_of(hunt.where);
  add_field(set, Field::event_time);
  std::visit(ShownCollector{hunt, set}, hunt.aggregate);
  return set;
}

bool may_match(const query::Expression& where, const std::function<bool(const query::Test&)>& may_hold) {
  return std::visit(MatchPossibility{may_hold}, where.node);
}

}  // namespace redoubt::store
