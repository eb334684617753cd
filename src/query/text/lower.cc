#include "query/text/lower.h"

#include "query/text/value.h"

namespace redoubt::query::text {

namespace {

struct TestLowering {
  std::string_view source;
  const TestSyntax& test;
  base::Time now;

  Outcome<Expression> run() const {
    for (const event::NamedField& meaning : test.meanings) {
      if (!has_verb(meaning.field, test.verb)) return no_such_verb(meaning.field);
    }
    if (test.verb == Verb::exists) {
      Expression present = exists();
      return test.sense == Sense::negative ? Expression::negate(std::move(present)) : std::move(present);
    }
    REDOUBT_OUTCOME(Expression holds, any_meaning());
    if (test.sense == Sense::positive) return holds;
    // A negative operator needs the field: `a != 1` is not true of an event without a.
    std::vector<Expression> both;
    both.push_back(exists());
    both.push_back(Expression::negate(std::move(holds)));
    return Expression::all_of(std::move(both));
  }

  tl::unexpected<Diagnostic> no_such_verb(event::Field field) const {
    const event::FieldInfo& info = event::info(field);
    return complain(source, test.operator_span,
                    {"Q301",
                     "field '" + std::string(info.name) + "' is " + std::string(described(info.type)) +
                         ": it has no operator " + std::string(name_of(test.verb)),
                     "it has " + std::string(verbs_of(field))});
  }

  Expression exists() const {
    std::vector<Expression> found;
    for (const event::NamedField& meaning : test.meanings) {
      // Every event has a type.
      found.push_back(restricted(meaning, meaning.field == event::Field::event_type
                                              ? Expression::constant(true)
                                              : test_of(meaning.field, Operator::exists, {})));
    }
    return Expression::any_of(std::move(found));
  }

  Expression test_of(event::Field field, Operator op, std::vector<Operand> operands) const {
    return {Test{.field = field, .attribute = test.attribute, .op = op, .operands = std::move(operands)}};
  }

  static Expression restricted(const event::NamedField& meaning, Expression expression) {
    std::vector<Expression> both;
    both.push_back(Expression::of_types(meaning.on));
    both.push_back(std::move(expression));
    return Expression::all_of(std::move(both));
  }

  // The test without its negation, of any of the fields that the name stands for.
  Outcome<Expression> any_meaning() const {
    std::vector<Expression> found;
    for (const event::NamedField& meaning : test.meanings) {
      REDOUBT_OUTCOME(Expression one, of_field(meaning.field));
      found.push_back(restricted(meaning, std::move(one)));
    }
    return Expression::any_of(std::move(found));
  }

  // Under a negative operator ALL is "none equals" and ANY is "not all equal".
  Outcome<Expression> of_field(event::Field field) const {
    std::vector<Expression> each;
    for (const ValueSyntax& value : test.values) {
      REDOUBT_OUTCOME(TypedValue typed, type_value(source, field, test.verb, value, now));
      each.push_back(test_of(field, typed.op, {std::move(typed.operand)}));
    }
    const Quantifier for_all = test.sense == Sense::positive ? Quantifier::all : Quantifier::any;
    return test.quantifier == for_all ? Expression::all_of(std::move(each)) : Expression::any_of(std::move(each));
  }
};

}  // namespace

Outcome<Expression> lower(std::string_view source, const NodeSyntax& node, base::Time now) {
  if (node.kind == NodeKind::test) return TestLowering{source, node.test, now}.run();
  std::vector<Expression> children;
  for (const NodeSyntax& child : node.children) {
    REDOUBT_OUTCOME(Expression lowered, lower(source, child, now));
    children.push_back(std::move(lowered));
  }
  switch (node.kind) {
    case NodeKind::all_of: return Expression::all_of(std::move(children));
    case NodeKind::any_of: return Expression::any_of(std::move(children));
    case NodeKind::negation: return Expression::negate(std::move(children.front()));
    case NodeKind::test: break;
  }
  return Expression::constant(true);
}

}  // namespace redoubt::query::text
