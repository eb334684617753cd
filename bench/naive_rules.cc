#include "bench/naive_rules.h"

#include <re2/re2.h>
#include <algorithm>
#include <memory>
#include <string>
#include <unordered_map>

#include "query/match/gate.h"
#include "query/semantics.h"

namespace redoubt::bench {

namespace {

using event::Field;
using event::Value;
using query::Expression;
using query::Operand;
using query::Test;

// Compiled once each, as any loop would have them.
const re2::RE2& compiled(const std::string& source) {
  static std::unordered_map<std::string, std::unique_ptr<re2::RE2>> known;
  auto& regex = known[source];
  if (regex == nullptr) regex = std::make_unique<re2::RE2>(source, re2::RE2::Quiet);
  return *regex;
}

class Walk {
 public:
  explicit Walk(const event::Row& row) : row_(row) {}

  bool holds(const Expression& expression) const {
    const auto one = [this](const Expression& child) { return holds(child); };
    if (const auto* node = std::get_if<query::And>(&expression.node))
      return std::all_of(node->children.begin(), node->children.end(), one);
    if (const auto* node = std::get_if<query::Or>(&expression.node))
      return std::any_of(node->children.begin(), node->children.end(), one);
    if (const auto* node = std::get_if<query::Not>(&expression.node)) return !holds(*node->child);
    return test_holds(std::get<Test>(expression.node));
  }

 private:
  bool test_holds(const Test& test) const {
    if (test.field != Field::attributes) return value_holds(test, row_.get(test.field));
    if (!test.attribute.empty()) return value_holds(test, row_.attribute(test.attribute));
    const auto attributes = row_.attributes();
    return std::any_of(attributes.begin(), attributes.end(),
                       [&](const auto& each) { return value_holds(test, Value::of_text(each.value)); });
  }

  bool value_holds(const Test& test, const Value& value) const {
    if (!value.present() || test.op == query::Operator::exists) return value.present();
    if (!value.is_text() || query::is_ordering(test.op)) return number_holds(test, value);
    if (test.op == query::Operator::regex) {
      return std::any_of(test.operands.begin(), test.operands.end(), [&](const Operand& operand) {
        return re2::RE2::PartialMatch(value.text(),
                                      compiled(query::regex_source(test, std::get<std::string>(operand))));
      });
    }
    const query::Form form = query::form_of(test.field, test.case_mode);
    const std::string text = query::in_form(form, value.text());
    return std::any_of(test.operands.begin(), test.operands.end(), [&](const Operand& operand) {
      if (const auto* constant = std::get_if<std::string>(&operand)) return text_holds(test.op, text, *constant);
      const Value other = value_of(operand);
      return other.is_text() && text_holds(test.op, text, query::in_form(form, other.text()));
    });
  }

  bool number_holds(const Test& test, const Value& value) const {
    auto left = value.is_text() ? query::number_of(value.text()) : value.integer();
    if (left) left = query::part_of(*left, test.part);
    return left && std::any_of(test.operands.begin(), test.operands.end(), [&](const Operand& operand) {
             const auto* constant = std::get_if<int64_t>(&operand);
             const Value other = constant != nullptr ? Value::of_integer(*constant) : value_of(operand);
             if (!other.present() || other.is_text()) return false;
             switch (test.op) {
               case query::Operator::less: return *left < other.integer();
               case query::Operator::less_equal: return *left <= other.integer();
               case query::Operator::greater: return *left > other.integer();
               case query::Operator::greater_equal: return *left >= other.integer();
               default: return *left == other.integer();
             }
           });
  }

  Value value_of(const Operand& operand) const {
    if (const auto* field = std::get_if<Field>(&operand)) return row_.get(*field);
    const auto* attribute = std::get_if<query::AttributeName>(&operand);
    return attribute != nullptr ? row_.attribute(attribute->name) : Value();
  }

  const event::Row& row_;
};

}  // namespace

NaiveRules::NaiveRules(std::span<const Expression> rules) {
  for (const Expression& rule : rules) {
    const event::EventTypeSet types = query::match::possible_types(rule);
    for (size_t type = 0; type < kTypes; ++type) {
      if ((types >> type & 1) != 0) rules_of_type_[type].push_back(&rule);
    }
  }
}

size_t NaiveRules::count_hits(const event::Row& row) const {
  const Walk walk(row);
  const auto& rules = rules_of_type_[static_cast<size_t>(row.type()) % kTypes];
  return static_cast<size_t>(
      std::count_if(rules.begin(), rules.end(), [&](const Expression* rule) { return walk.holds(*rule); }));
}

size_t NaiveRules::count_over_sample(std::span<const event::Batch> batches, size_t events) const {
  size_t total = 0;
  for (const event::Batch& batch : batches) total += batch.size();
  const size_t stride = std::max<size_t>(1, total / std::max<size_t>(1, events));
  size_t judged = 0;
  size_t next = 0;
  for (const event::Batch& batch : batches) {
    for (; next < batch.size(); next += stride) {
      volatile size_t hits = count_hits(batch.row(next));
      static_cast<void>(hits);
      ++judged;
    }
    next -= batch.size();
  }
  return judged;
}

}  // namespace redoubt::bench
