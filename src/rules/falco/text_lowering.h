// A check of a text, as tests of our field that holds it in the shape in which we keep it. test_lowering.cc chooses.
// Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "query/expression.h"
#include "rules/falco/field_source.h"
#include "rules/falco/filter.h"
#include "rules/falco/test_lowering.h"

namespace redoubt::rules::falco {

using Values = std::vector<std::string>;

// Tests with their case kept, and what joins tests.
query::Expression exact(event::Field field, query::Operator op, const Values& values);
query::Expression one(event::Field field, query::Operator op, std::string value);
query::Expression either(query::Expression a, query::Expression b);
query::Expression both(query::Expression a, query::Expression b);
query::Expression exists(event::Field field);

// "operator glob on an address has no test here"
std::string cannot(CheckOperator op, std::string_view what);
// A regular expression that is `text` itself.
std::string escape_regex(std::string_view text);
// fnmatch(3) without flags as a regular expression; `star` is what `*` becomes.
std::string glob_regex(std::string_view glob, std::string_view star);

// True if any of the values fits, in the sense of `op`. For `equal`, the fields' shapes say what is compared.
Judgement lower_text(event::Field field, CheckOperator op, const Values& values);
Judgement lower_first_argument(event::Field field, CheckOperator op, const Values& values);
Judgement lower_arguments(event::Field field, CheckOperator op, const Values& values);
Judgement lower_command_line(const FieldSource& source, CheckOperator op, const Values& values);
Judgement lower_any_ancestor(event::Field field, CheckOperator op, const Values& values);
Judgement lower_ancestor(const FieldSource& source, CheckOperator op, const Values& values);
Judgement lower_directory(event::Field field, CheckOperator op, const Values& values);

}  // namespace redoubt::rules::falco
