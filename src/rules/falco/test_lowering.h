// One check of a condition on one kind of event, as an expression. Any thread.
#pragma once

#include <optional>
#include <string>

#include "query/expression.h"
#include "rules/falco/field_source.h"
#include "rules/falco/filter.h"

namespace redoubt::rules::falco {

// An expression, or the reason why there is none.
struct Judgement {
  query::Expression expression;
  std::string unknown;  // "" where the expression is right
  std::string note;     // what is taken wider than Falco; may be ""

  static Judgement of(query::Expression expression) { return {std::move(expression), "", ""}; }
  static Judgement not_known(std::string why) { return {{}, std::move(why), ""}; }
};

// What the expression is whatever the event.
std::optional<bool> constant_of(const query::Expression& expression);

Judgement lower_check(const Filter& check, EventClass event_class);

}  // namespace redoubt::rules::falco
