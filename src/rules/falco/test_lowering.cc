#include "rules/falco/test_lowering.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/address.h"
#include "base/text.h"
#include "rules/falco/file_lowering.h"
#include "rules/falco/line_lowering.h"
#include "rules/falco/text_lowering.h"
#include "rules/falco/transformer.h"
#include "rules/falco/vocabulary.h"

namespace redoubt::rules::falco {

namespace {

using event::Field;
using query::CaseMode;
using query::Expression;
using query::Operand;
using query::Operator;

constexpr size_t kOneOfMax = 8;  // its tests grow with the square

std::optional<int64_t> parse_number(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const bool is_hex = text.starts_with("0x") || text.starts_with("0X");
  if (is_hex) text.remove_prefix(2);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, is_hex ? 16 : 10);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return negative ? -number : number;
}

bool compare_numbers(CheckOperator op, int64_t left, int64_t right) {
  if (op == CheckOperator::less) return left < right;
  if (op == CheckOperator::less_equal) return left <= right;
  if (op == CheckOperator::greater) return left > right;
  if (op == CheckOperator::greater_equal) return left >= right;
  return left == right;
}

Operator order_operator(CheckOperator op) {
  if (op == CheckOperator::less) return Operator::less;
  if (op == CheckOperator::less_equal) return Operator::less_equal;
  if (op == CheckOperator::greater) return Operator::greater;
  if (op == CheckOperator::greater_equal) return Operator::greater_equal;
  return Operator::equal;
}

// What holds of a number that is `least` or more, if that says enough.
std::optional<bool> compare_at_least(CheckOperator op, int64_t least, int64_t right) {
  if (op == CheckOperator::greater_equal && right <= least) return true;
  if (op == CheckOperator::greater && right < least) return true;
  if (op == CheckOperator::equal && right < least) return false;
  if (op == CheckOperator::less && right <= least) return false;
  if (op == CheckOperator::less_equal && right < least) return false;
  return std::nullopt;
}

// A call's result is 0 or the number of its error, below 0.
Expression lower_error_number(Field field, CheckOperator op, int64_t value) {
  Values names;
  bool all = true;
  for (int number = 1; number <= kErrorNumbersMax; ++number) {
    const char* name = strerrorname_np(number);
    if (name == nullptr) continue;
    const bool holds = compare_numbers(op, -number, value);
    all = all && holds;
    if (holds) names.emplace_back(name);
  }
  Expression failed = all ? exists(field) : exact(field, Operator::equal, names);
  if (!compare_numbers(op, 0, value)) return failed;
  return either(Expression::negate(exists(field)), std::move(failed));
}

Judgement lower_error_name(Field field, CheckOperator op, const Values& values) {
  if (op != CheckOperator::equal) return Judgement::not_known(cannot(op, "the name of an error"));
  Values names;
  bool is_success = false;
  for (const std::string& value : values) {
    if (value == kSuccess) {
      is_success = true;
    } else {
      names.push_back(value);
    }
  }
  Expression failed = exact(field, Operator::equal, names);
  return Judgement::of(is_success ? either(Expression::negate(exists(field)), std::move(failed)) : std::move(failed));
}

// Nanoseconds are compared as whole seconds: 4.9 s are 4, and less than 5.
Judgement lower_seconds(Field field, CheckOperator op, int64_t nanoseconds) {
  constexpr int64_t kSecond = 1'000'000'000;
  if (op == CheckOperator::equal) return Judgement::not_known(cannot(op, "a duration"));
  const bool is_below = op == CheckOperator::less || op == CheckOperator::less_equal;
  const int64_t seconds = (nanoseconds + kSecond - 1) / kSecond;
  return Judgement::of(Expression::test(field, is_below ? Operator::less : Operator::greater_equal, {seconds}));
}

Judgement lower_number(const FieldSource& source, CheckOperator op, int64_t value) {
  const bool absent_holds = compare_numbers(op, -1, value);
  switch (source.shape) {
    case Shape::constant_number: return Judgement::of(Expression::constant(compare_numbers(op, source.number, value)));
    case Shape::error_number: return Judgement::of(lower_error_number(source.field, op, value));
    case Shape::number_at_least: {
      const auto outcome = compare_at_least(op, source.number, value);
      return outcome ? Judgement::of(Expression::constant(*outcome))
                     : Judgement::not_known(cannot(op, "a number that is not recorded"));
    }
    case Shape::seconds: return lower_seconds(source.field, op, value);
    case Shape::terminal:
      if (compare_numbers(op, 0, value)) {
        return op == CheckOperator::equal ? Judgement::of(Expression::negate(exists(source.field)))
                                          : Judgement::not_known(cannot(op, "a terminal's number"));
      }
      return value == 0 && op == CheckOperator::greater ? Judgement::of(exists(source.field))
                                                        : Judgement::not_known(cannot(op, "a terminal's number"));
    case Shape::login_user: {
      Expression test = Expression::test(source.field, order_operator(op), {value});
      if (!absent_holds) return Judgement::of(std::move(test));
      return Judgement::of(either(Expression::negate(exists(source.field)), std::move(test)));
    }
    case Shape::plain: return Judgement::of(Expression::test(source.field, order_operator(op), {value}));
    case Shape::absent:
    case Shape::command_line:
    case Shape::arguments:
    case Shape::first_argument:
    case Shape::any_ancestor:
    case Shape::ancestor:
    case Shape::ancestor_command:
    case Shape::environment:
    case Shape::flag:
    case Shape::moment:
    case Shape::directory:
    case Shape::container:
    case Shape::constant_text:
    case Shape::address_family:
    case Shape::lines:
    case Shape::mount_part:
    case Shape::label:
    case Shape::both_ends:
    case Shape::prefix_flag:
    case Shape::no_prefix_flag:
    case Shape::executable_flag:
    case Shape::mode_bits:
    case Shape::file_kind:
    case Shape::error_name: break;
  }
  return Judgement::of(Expression::constant(false));
}

Judgement lower_numbers(const FieldSource& source, CheckOperator op, const Values& values) {
  std::vector<Expression> tests;
  for (const std::string& text : values) {
    const auto number = parse_number(text);
    if (!number) return Judgement::not_known("'" + text + "' is not a whole number");
    Judgement each = lower_number(source, op, *number);
    if (!each.unknown.empty()) return each;
    tests.push_back(std::move(each.expression));
  }
  return Judgement::of(Expression::any_of(std::move(tests)));
}

Judgement lower_addresses(Field field, CheckOperator op, const Values& values) {
  if (op != CheckOperator::equal) return Judgement::not_known(cannot(op, "an address"));
  for (const std::string& value : values) {
    if (!base::is_prefix(value)) return Judgement::not_known("'" + value + "' is not an address or prefix");
  }
  Values addresses;
  Values prefixes;
  for (const std::string& value : values)
    (value.find('/') == std::string::npos ? addresses : prefixes).push_back(value);
  return Judgement::of(either(exact(field, Operator::equal, addresses), exact(field, Operator::cidr, prefixes)));
}

Judgement lower_constant(std::string_view actual, CheckOperator op, const Values& values) {
  bool holds = false;
  for (const std::string& value : values) {
    switch (op) {
      case CheckOperator::equal: holds = holds || actual == value; break;
      case CheckOperator::contains: holds = holds || actual.find(value) != std::string_view::npos; break;
      case CheckOperator::startswith: holds = holds || actual.starts_with(value); break;
      case CheckOperator::endswith: holds = holds || actual.ends_with(value); break;
      case CheckOperator::exists:
      case CheckOperator::less:
      case CheckOperator::less_equal:
      case CheckOperator::greater:
      case CheckOperator::greater_equal:
      case CheckOperator::not_equal:
      case CheckOperator::icontains:
      case CheckOperator::glob:
      case CheckOperator::iglob:
      case CheckOperator::regex:
      case CheckOperator::bcontains:
      case CheckOperator::bstartswith:
      case CheckOperator::in:
      case CheckOperator::intersects:
      case CheckOperator::pmatch: return Judgement::not_known(cannot(op, "'" + std::string(actual) + "'"));
    }
  }
  return Judgement::of(Expression::constant(holds));
}

Judgement lower_container(Field field, CheckOperator op, const Values& values) {
  if (op != CheckOperator::equal) return Judgement::not_known(cannot(op, "a container's id"));
  constexpr size_t kShortIdDigits = 12;
  std::vector<Expression> tests;
  for (const std::string& value : values) {
    if (value == "host") tests.push_back(Expression::negate(exists(field)));
    if (value.size() == kShortIdDigits) tests.push_back(one(field, Operator::starts_with, value));
  }
  return Judgement::of(Expression::any_of(std::move(tests)));
}

Judgement lower_family(const FieldSource& source, CheckOperator op, const Values& values) {
  if (op != CheckOperator::equal) return Judgement::not_known(cannot(op, "an address family"));
  const size_t blank = source.text.find(' ');
  Values prefixes;
  for (const std::string& value : values) {
    if (value == source.text.substr(0, blank)) prefixes.emplace_back("0.0.0.0/0");
    if (value == source.text.substr(blank + 1)) prefixes.emplace_back("::/0");
  }
  return Judgement::of(exact(source.field, Operator::cidr, prefixes));
}

Judgement lower_plain(Field field, CheckOperator op, const Values& values) {
  if (event::info(field).type == event::FieldType::ip) return lower_addresses(field, op, values);
  if (event::is_textual(event::info(field).type)) return lower_text(field, op, values);
  const FieldSource source{.shape = Shape::plain, .field = field, .second = {}, .text = "", .number = 0};
  return lower_numbers(source, op, values);
}

Judgement lower_flag(Field field, CheckOperator op, const Values& values) {
  if (op != CheckOperator::equal) return Judgement::not_known(cannot(op, "true or false"));
  std::vector<Expression> tests;
  for (const std::string& value : values) {
    if (value == "true") tests.push_back(one(field, Operator::equal, "true"));
    if (value == "false") tests.push_back(Expression::negate(one(field, Operator::equal, "true")));
  }
  return Judgement::of(Expression::any_of(std::move(tests)));
}

Judgement with_note(Judgement judgement, std::string_view note) {
  judgement.note = note;
  return judgement;
}

Judgement lower_both_ends(const FieldSource& source, CheckOperator op, const Values& values) {
  Judgement first = lower_plain(source.field, op, values);
  Judgement second = lower_plain(source.second, op, values);
  if (!first.unknown.empty()) return first;
  return Judgement::of(either(std::move(first.expression), std::move(second.expression)));
}

// True if any of the values fits, in the sense of `op`.
Judgement lower_any(const FieldSource& source, CheckOperator op, const Values& values) {
  switch (source.shape) {
    case Shape::absent: return Judgement::of(Expression::constant(false));
    case Shape::plain: return lower_plain(source.field, op, values);
    case Shape::command_line: return lower_command_line(source, op, values);
    case Shape::arguments: return lower_arguments(source.field, op, values);
    case Shape::first_argument: return lower_first_argument(source.field, op, values);
    case Shape::any_ancestor: return lower_any_ancestor(source.field, op, values);
    case Shape::ancestor: return lower_ancestor(source, op, values);
    case Shape::ancestor_command:
      return with_note(lower_ancestor(source, op, values),
                       "field proc.aexe: the path of an ancestor's program is taken for its first argument");
    case Shape::environment:
      return with_note(lower_text(source.field, op, values), "field proc.env: agents tell chosen variables only");
    case Shape::flag: return lower_flag(source.field, op, values);
    case Shape::moment: return Judgement::not_known(cannot(op, "a time of a file"));
    case Shape::directory: return lower_directory(source.field, op, values);
    case Shape::container: return lower_container(source.field, op, values);
    case Shape::terminal:
    case Shape::login_user:
    case Shape::constant_number:
    case Shape::error_number:
    case Shape::number_at_least: return lower_numbers(source, op, values);
    case Shape::seconds:
      return with_note(lower_numbers(source, op, values), "field proc.duration: whole seconds are told");
    case Shape::constant_text: return lower_constant(source.text, op, values);
    case Shape::address_family: return lower_family(source, op, values);
    case Shape::lines: return Judgement::not_known(cannot(op, "a list in one line"));
    case Shape::mount_part:
    case Shape::label: return lower_line_part(source, op, values);
    case Shape::both_ends: return lower_both_ends(source, op, values);
    case Shape::prefix_flag:
    case Shape::no_prefix_flag:
    case Shape::executable_flag:
    case Shape::mode_bits:
    case Shape::file_kind: return lower_file(source, op, values);
    case Shape::error_name: return lower_error_name(source.field, op, values);
  }
  return Judgement::of(Expression::constant(false));
}

// Whether Falco has a value; what is always there for Falco need not be for us.
Expression is_present(const FieldSource& source) {
  switch (source.shape) {
    case Shape::absent: return Expression::constant(false);
    case Shape::plain:
    case Shape::command_line:
    case Shape::arguments:
    case Shape::first_argument:
    case Shape::any_ancestor:
    case Shape::environment:
    case Shape::moment:
    case Shape::seconds:
    case Shape::directory:
    case Shape::address_family:
    case Shape::lines:
    case Shape::both_ends:
    case Shape::mode_bits: return exists(source.field);
    case Shape::mount_part:
    case Shape::label: return has_line_part(source);
    case Shape::ancestor:
    case Shape::ancestor_command: {
      std::string pattern = "^";
      for (int64_t skipped = 1; skipped < source.number; ++skipped) pattern += "[^\\n]*\\n";
      return one(source.field, Operator::regex, std::move(pattern));
    }
    case Shape::container:
    case Shape::flag:
    case Shape::terminal:
    case Shape::login_user:
    case Shape::constant_text:
    case Shape::constant_number:
    case Shape::number_at_least:
    case Shape::prefix_flag:
    case Shape::no_prefix_flag:
    case Shape::executable_flag:
    case Shape::file_kind:
    case Shape::error_name:
    case Shape::error_number: return Expression::constant(true);
  }
  return Expression::constant(false);
}

Judgement lower_unequal(const FieldSource& source, const Values& values) {
  if (source.shape == Shape::any_ancestor) {
    return Judgement::not_known(cannot(CheckOperator::not_equal, "the names of all ancestors"));
  }
  Judgement equal = lower_any(source, CheckOperator::equal, values);
  if (equal.unknown.empty()) {
    equal.expression = both(is_present(source), Expression::negate(std::move(equal.expression)));
  }
  return equal;
}

// Each value as a check of its own.
Judgement lower_quantity(const Filter& check, EventClass event_class) {
  if (check.quantity == Quantity::oneof && check.values.size() > kOneOfMax) {
    return Judgement::not_known("oneof takes up to " + std::to_string(kOneOfMax) + " values here");
  }
  std::vector<Expression> each;
  for (const Term& value : check.values) {
    Filter single;
    single.kind = FilterKind::check;
    single.left = check.left;
    single.op = check.op;
    single.values.push_back(value);
    Judgement judgement = lower_check(single, event_class);
    if (!judgement.unknown.empty()) return judgement;
    each.push_back(std::move(judgement.expression));
  }
  if (each.empty()) return Judgement::of(Expression::constant(false));
  if (check.quantity == Quantity::allof) return Judgement::of(Expression::all_of(std::move(each)));
  if (check.quantity == Quantity::anyof) return Judgement::of(Expression::any_of(std::move(each)));
  std::vector<Expression> choices;
  for (size_t chosen = 0; chosen < each.size(); ++chosen) {
    std::vector<Expression> parts;
    for (size_t i = 0; i < each.size(); ++i) {
      parts.push_back(i == chosen ? each[i].clone() : Expression::negate(each[i].clone()));
    }
    choices.push_back(Expression::all_of(std::move(parts)));
  }
  return Judgement::of(Expression::any_of(std::move(choices)));
}

// An event here stands for any of the calls that make it.
Judgement lower_event_type(const Filter& check, EventClass event_class) {
  if (check.op == CheckOperator::exists) return Judgement::of(Expression::constant(true));
  const bool is_set = check.op == CheckOperator::equal || check.op == CheckOperator::not_equal ||
                      check.op == CheckOperator::in || check.op == CheckOperator::intersects;
  if (!is_set || check.quantity != Quantity::one_value) return Judgement::not_known(cannot(check.op, "evt.type"));
  const EventClassInfo& row = info(event_class);
  const auto names_one_of = [&](std::string_view names) {
    return std::any_of(check.values.begin(), check.values.end(),
                       [&](const Term& value) { return is_listed(names, value.text); });
  };
  const bool usual = names_one_of(row.events);
  if (!usual && names_one_of(row.rare)) {
    const std::string first(row.events.substr(0, row.events.find(' ')));
    return Judgement::not_known("event " + check.values.front().text + " is not told apart from " + first);
  }
  Judgement outcome = Judgement::of(Expression::constant(usual != (check.op == CheckOperator::not_equal)));
  const auto named = std::find_if(check.values.begin(), check.values.end(),
                                  [&](const Term& value) { return is_listed(row.events, value.text); });
  std::string_view names = row.events;
  while (usual && !names.empty()) {
    const std::string_view name = names.substr(0, names.find(' '));
    const auto is_it = [&](const Term& value) { return value.text == name; };
    if (std::none_of(check.values.begin(), check.values.end(), is_it)) {
      outcome.note = "event " + std::string(name) + " is taken for " + named->text;
    }
    names.remove_prefix(std::min(name.size() + 1, names.size()));
  }
  return outcome;
}

std::optional<Operator> reference_operator(CheckOperator op) {
  switch (op) {
    case CheckOperator::equal:
    case CheckOperator::not_equal: return Operator::equal;
    case CheckOperator::less:
    case CheckOperator::less_equal:
    case CheckOperator::greater:
    case CheckOperator::greater_equal: return order_operator(op);
    case CheckOperator::contains: return Operator::contains;
    case CheckOperator::startswith: return Operator::starts_with;
    case CheckOperator::endswith: return Operator::ends_with;
    case CheckOperator::exists:
    case CheckOperator::icontains:
    case CheckOperator::glob:
    case CheckOperator::iglob:
    case CheckOperator::regex:
    case CheckOperator::bcontains:
    case CheckOperator::bstartswith:
    case CheckOperator::in:
    case CheckOperator::intersects:
    case CheckOperator::pmatch: break;
  }
  return std::nullopt;
}

// val(field) on the right: one field with another.
Judgement lower_reference(const Filter& check, const FieldSource& left, EventClass event_class) {
  const Term& other = check.values.front();
  if (other.kind != TermKind::field) return Judgement::not_known("transformer " + other.text + " has no test here");
  const FoundSource right = find_source(other, event_class);
  if (!right.source) return Judgement::not_known(right.reason);
  if (left.shape == Shape::absent || right.source->shape == Shape::absent) {
    return Judgement::of(Expression::constant(false));
  }
  const auto op = reference_operator(check.op);
  const bool is_text = event::is_textual(event::info(left.field).type);
  const bool is_same_kind = is_text == event::is_textual(event::info(right.source->field).type);
  const bool is_order =
      op == Operator::less || op == Operator::less_equal || op == Operator::greater || op == Operator::greater_equal;
  const bool fits = op == Operator::equal || is_order != is_text;
  if (left.shape != Shape::plain || right.source->shape != Shape::plain || !op || !is_same_kind || !fits) {
    return Judgement::not_known("comparing " + to_text(check.left) + " with " + to_text(other) + " has no test here");
  }
  Expression test = Expression::test(left.field, *op, {right.source->field}, CaseMode::exact);
  if (check.op != CheckOperator::not_equal) return Judgement::of(std::move(test));
  return Judgement::of(
      both(both(exists(left.field), exists(right.source->field)), Expression::negate(std::move(test))));
}

// The idiom of a condition that is always or never true.
Judgement lower_event_number(const Filter& check) {
  FieldSource source{.shape = Shape::number_at_least, .field = {}, .second = {}, .text = "", .number = 1};
  Values values;
  for (const Term& value : check.values) values.push_back(value.text);
  const bool negated = check.op == CheckOperator::not_equal;
  const bool is_equality = negated || check.op == CheckOperator::in || check.op == CheckOperator::intersects;
  Judgement outcome = lower_numbers(source, is_equality ? CheckOperator::equal : check.op, values);
  if (outcome.unknown.empty() && negated) outcome.expression = Expression::negate(std::move(outcome.expression));
  return outcome;
}

}  // namespace

std::optional<bool> constant_of(const Expression& expression) {
  if (const auto* node = std::get_if<query::Not>(&expression.node)) {
    const auto inner = constant_of(*node->child);
    return inner ? std::optional<bool>(!*inner) : std::nullopt;
  }
  if (const auto* test = std::get_if<query::Test>(&expression.node)) {
    return test->op != Operator::exists && test->operands.empty() ? std::optional<bool>(false) : std::nullopt;
  }
  const auto* all = std::get_if<query::And>(&expression.node);
  const bool neutral = all != nullptr;
  const auto& children = all != nullptr ? all->children : std::get<query::Or>(expression.node).children;
  std::optional<bool> sum = neutral;
  for (const Expression& child : children) {
    const auto value = constant_of(child);
    if (value == !neutral) return !neutral;
    if (!value) sum.reset();
  }
  return sum;
}

Judgement lower_check(const Filter& check, EventClass event_class) {
  if (check.left.kind == TermKind::transformer) {
    const bool refers = !check.values.empty() && check.values.front().kind != TermKind::literal;
    if (refers) return Judgement::not_known("comparing " + to_text(check.left) + " with a field has no test here");
    return check.quantity == Quantity::one_value ? lower_transformer(check, event_class)
                                                 : lower_quantity(check, event_class);
  }
  const std::string& name = check.left.text;
  if (name == "evt.type" || name == "syscall.type") return lower_event_type(check, event_class);
  if (name == "evt.num" && check.op != CheckOperator::exists) return lower_event_number(check);
  if (name == "evt.dir" && check.op == CheckOperator::equal)
    return Judgement::of(Expression::constant(check.values.front().text == "<"));
  const FoundSource found = find_source(check.left, event_class);
  if (!found.source) return Judgement::not_known(found.reason);
  if (check.op == CheckOperator::exists) return Judgement::of(is_present(*found.source));
  if (!check.values.empty() && check.values.front().kind != TermKind::literal) {
    return lower_reference(check, *found.source, event_class);
  }
  if (check.quantity != Quantity::one_value) return lower_quantity(check, event_class);
  Values values;
  values.reserve(check.values.size());
  for (const Term& value : check.values) values.push_back(base::escape_invalid_utf8(value.text));
  if (check.op == CheckOperator::not_equal) return lower_unequal(*found.source, values);
  const bool is_membership = check.op == CheckOperator::in || check.op == CheckOperator::intersects;
  return lower_any(*found.source, is_membership ? CheckOperator::equal : check.op, values);
}

}  // namespace redoubt::rules::falco
