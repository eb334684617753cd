#include "rules/rule_set.h"

namespace redoubt::rules {

Result<query::match::Matcher> RuleSet::compile() const {
  std::vector<query::Expression> expressions;
  expressions.reserve(rules_.size());
  for (const Rule& rule : rules_) expressions.push_back(rule.expression.clone());
  return query::match::Matcher::compile(expressions);
}

}  // namespace redoubt::rules
