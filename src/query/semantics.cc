#include "query/semantics.h"

#include "base/text.h"
#include "query/cidr.h"

namespace redoubt::query {

using event::Field;
using event::FieldType;

Form form_of(Field field, CaseMode case_mode) {
  const FieldType type = event::info(field).type;
  const bool compares_case = type == FieldType::text || type == FieldType::keyword;
  if (!compares_case || field == Field::event_type) return Form::raw;
  return case_mode == CaseMode::folded ? Form::folded : Form::raw;
}

std::string operand_text(const Test& test, std::string_view operand) {
  if (test.op == Operator::regex) return regex_source(test, operand);
  if (test.field == Field::event_type) {
    const auto type = test.op == Operator::equal ? event::event_type_named(operand) : std::nullopt;
    return type ? std::string(name_of(*type)) : base::fold_case(operand);
  }
  const FieldType type = event::info(test.field).type;
  if (type == FieldType::ip) return test.op == Operator::equal ? canonical_address(operand) : base::fold_case(operand);
  if (type == FieldType::hash || form_of(test.field, test.case_mode) == Form::folded) return base::fold_case(operand);
  return std::string(operand);
}

std::string regex_source(const Test& test, std::string_view pattern) {
  const FieldType type = event::info(test.field).type;
  const bool by_mode = type == FieldType::text || type == FieldType::keyword;
  const bool exact = type == FieldType::id || (by_mode && test.case_mode == CaseMode::exact);
  // In a group: DuckDB turns simple patterns into LIKE, and wrongly where ^ or $ stands inside ("$a" finds "a"); it
  // leaves groups alone.
  return (exact ? "(?s)(" : "(?is)(") + std::string(pattern) + ")";
}

}  // namespace redoubt::query
