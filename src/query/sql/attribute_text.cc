#include "query/sql/attribute_text.h"

#include <re2/re2.h>
#include <simdjson.h>
#include <array>

#include "query/semantics.h"

namespace redoubt::query::sql {

namespace {

// Calls `each` with name and text until it returns true; true if it did. What is no object of texts has none.
template <class Each>
bool any_text(std::string_view object, Each each) {
  thread_local simdjson::dom::parser parser;
  simdjson::dom::object members;
  if (parser.parse(object.data(), object.size()).get(members) != simdjson::SUCCESS) return false;
  for (const auto member : members) {
    std::string_view text;
    if (member.value.get(text) == simdjson::SUCCESS && each(member.key, text)) return true;
  }
  return false;
}

std::optional<Operator> operator_named(std::string_view name) {
  constexpr auto kOperators = std::to_array({Operator::equal, Operator::less, Operator::less_equal, Operator::greater,
                                             Operator::greater_equal, Operator::contains, Operator::starts_with,
                                             Operator::ends_with, Operator::like, Operator::regex, Operator::cidr});
  for (const Operator op : kOperators) {
    if (name_of(op) == name) return op;
  }
  return std::nullopt;
}

// False where one of them is no number.
bool is_ordered(Operator op, std::string_view text, std::string_view operand) {
  const auto left = number_of(text);
  const auto right = number_of(operand);
  if (!left || !right) return false;
  if (op == Operator::less) return *left < *right;
  if (op == Operator::less_equal) return *left <= *right;
  return op == Operator::greater ? *left > *right : *left >= *right;
}

// Rows of one statement come with the same expression: the last one is kept.
const re2::RE2& compiled(std::string_view source) {
  thread_local std::unique_ptr<re2::RE2> kept;
  if (kept == nullptr || kept->pattern() != source) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(kRegexMemoryMax);
    kept = std::make_unique<re2::RE2>(source, options);
  }
  return *kept;
}

}  // namespace

std::optional<std::string> attribute_in(std::string_view object, std::string_view name) {
  std::optional<std::string> found;
  any_text(object, [&](std::string_view key, std::string_view text) {
    if (key == name) found = text;
    return key == name;
  });
  return found;
}

bool any_attribute_in(std::string_view object, const AttributeComparison& comparison) {
  const auto op = operator_named(comparison.op);
  if (!op) return false;
  const Form form = comparison.form == "folded" ? Form::folded : Form::raw;
  return any_text(object, [&](std::string_view, std::string_view text) {
    if (*op == Operator::regex) {
      const re2::RE2& regex = compiled(comparison.operand);
      return regex.ok() && regex.Match(text, 0, text.size(), re2::RE2::UNANCHORED, nullptr, 0);
    }
    if (is_ordering(*op)) return is_ordered(*op, text, comparison.operand);
    return text_holds(*op, in_form(form, text), comparison.operand);
  });
}

}  // namespace redoubt::query::sql
