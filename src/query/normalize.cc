#include <re2/re2.h>
#include <algorithm>
#include <array>
#include <set>
#include <tuple>

#include "base/address.h"
#include "base/text.h"
#include "query/expression.h"
#include "query/pattern.h"
#include "query/semantics.h"

namespace redoubt::query {

namespace {

using event::FieldType;

// A tree may be deeper before like children are flattened into each other.
constexpr size_t kPatternShownMax = 200;  // bytes of a pattern in a message
constexpr int kRawDepthMax = 8 * kDepthMax;

bool is_constant(const Expression& expression, bool value) {
  if (value) {
    const auto* node = std::get_if<And>(&expression.node);
    return node != nullptr && node->children.empty();
  }
  const auto* node = std::get_if<Or>(&expression.node);
  return node != nullptr && node->children.empty();
}

bool operator_fits(event::Field field, Operator op) {
  const FieldType type = event::info(field).type;
  switch (op) {
    case Operator::equal:
    case Operator::exists: return true;
    case Operator::less:
    case Operator::less_equal:
    case Operator::greater:
    case Operator::greater_equal: return !event::is_textual(type) || field == event::Field::attributes;
    case Operator::contains:
    case Operator::starts_with:
    case Operator::ends_with:
    case Operator::like:
    case Operator::regex: return event::is_textual(type);
    case Operator::cidr: return type == FieldType::ip || field == event::Field::attributes;
  }
  return false;
}

tl::unexpected<Error> refuse(const Test& test, const std::string& why) {
  const std::string name =
      std::string(event::info(test.field).name) + (test.attribute.empty() ? "" : "." + test.attribute);
  return fail(Errc::invalid_argument, "field " + name + ": " + why);
}

Status check_regex(const Test& test, const std::string& pattern) {
  if (pattern.size() > kRegexSizeMax) {
    return refuse(test, "regular expression is longer than " + std::to_string(kRegexSizeMax) + " bytes");
  }
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kRegexMemoryMax);
  // Alone first: the flags in front must not make a broken pattern whole.
  for (const std::string& source : {pattern, regex_source(test, pattern)}) {
    const re2::RE2 regex(source, options);
    if (regex.ok()) continue;
    // RE2's words hold the pattern, or the part of it that is wrong, too.
    const auto shown = [](std::string text) {
      return text.size() <= kPatternShownMax ? text : text.substr(0, kPatternShownMax) + "…";
    };
    return refuse(test,
                  base::escape_invalid_utf8("regular expression '" + shown(pattern) + "': " + shown(regex.error())));
  }
  return {};
}

Status check_field_operand(const Test& test, event::Field other) {
  const FieldType left = event::info(test.field).type;
  const FieldType right = event::info(other).type;
  const bool fits = event::is_textual(left) ? event::is_textual(right) : left == right;
  if (!fits) return refuse(test, "cannot be compared with field " + std::string(event::info(other).name));
  const bool takes_constants = test.op == Operator::like || test.op == Operator::regex || test.op == Operator::cidr;
  if (takes_constants || (event::is_textual(left) && is_ordering(test.op))) {
    return refuse(test, "operator " + std::string(name_of(test.op)) + " takes no field");
  }
  return {};
}

// A part of a time is a number.
Status check_part(const Test& test) {
  if (test.part == TimePart::none) return {};
  if (event::info(test.field).type != FieldType::time) return refuse(test, "is no time, and has no parts of one");
  if (test.op != Operator::equal && !is_ordering(test.op)) {
    return refuse(test,
                  "has no operator " + std::string(name_of(test.op)) + " for its " + std::string(name_of(test.part)));
  }
  const bool numbers = std::all_of(test.operands.begin(), test.operands.end(),
                                   [](const Operand& operand) { return std::holds_alternative<int64_t>(operand); });
  if (!numbers) return refuse(test, "takes a number for its " + std::string(name_of(test.part)));
  return {};
}

Status check_operand(const Test& test, const Operand& operand) {
  if (std::holds_alternative<AttributeName>(operand)) return check_field_operand(test, event::Field::attributes);
  if (const auto* other = std::get_if<event::Field>(&operand)) return check_field_operand(test, *other);
  // Attributes are text, but ordered as numbers.
  const bool textual = event::is_textual(event::info(test.field).type) && !is_ordering(test.op);
  const auto* text = std::get_if<std::string>(&operand);
  if (textual != (text != nullptr)) return refuse(test, textual ? "takes text" : "takes a number");
  if (text == nullptr) return {};
  if (!base::is_utf8(*text)) return refuse(test, "operand is not UTF-8");
  if (test.op == Operator::regex) return check_regex(test, *text);
  if (test.op == Operator::cidr && !base::is_prefix(*text)) {
    return refuse(test, "'" + *text + "' is not an address prefix such as 10.0.0.0/8");
  }
  return {};
}

// Removes repetitions, keeping the order.
void remove_repeated(std::vector<Operand>& operands) {
  std::set<Operand> seen;
  std::erase_if(operands, [&](const Operand& operand) { return !seen.insert(operand).second; });
}

// The case mode that says something; the others are written `folded`, so that equal tests are equal values.
CaseMode telling_mode(const Test& test) {
  const FieldType type = event::info(test.field).type;
  const bool tells = (type == FieldType::text || type == FieldType::keyword) &&
                     test.field != event::Field::event_type && test.op != Operator::exists && test.op != Operator::cidr;
  return tells ? test.case_mode : CaseMode::folded;
}

// One test for each operator that the patterns of a `like` come to.
Expression lower_patterns(const Test& test) {
  std::vector<Expression> tests;
  for (const Operand& operand : test.operands) {
    auto [op, text] = simplify_pattern(std::get<std::string>(operand));
    Test part{.field = test.field, .attribute = test.attribute, .op = op, .case_mode = test.case_mode, .operands = {}};
    part.operands.emplace_back(operand_text(part, text));
    tests.push_back({std::move(part)});
  }
  return Expression::any_of(std::move(tests));
}

// Tests of one field with one operator under an Or are one test with several operands.
void merge_tests(std::vector<Expression>& children) {
  std::vector<Expression> merged;
  using Kind = std::tuple<event::Field, std::string, Operator, CaseMode, TimePart>;
  std::vector<std::pair<Kind, size_t>> seen;
  for (Expression& child : children) {
    auto* test = std::get_if<Test>(&child.node);
    if (test == nullptr) {
      merged.push_back(std::move(child));
      continue;
    }
    const Kind kind{test->field, test->attribute, test->op, test->case_mode, test->part};
    const auto found = std::find_if(seen.begin(), seen.end(), [&](const auto& entry) { return entry.first == kind; });
    if (found == seen.end()) {
      seen.emplace_back(kind, merged.size());
      merged.push_back(std::move(child));
      continue;
    }
    auto& target = std::get<Test>(merged[found->second].node).operands;
    std::move(test->operands.begin(), test->operands.end(), std::back_inserter(target));
  }
  for (const auto& [kind, position] : seen) remove_repeated(std::get<Test>(merged[position].node).operands);
  children = std::move(merged);
}

struct Normalizer {
  size_t tests = 0;

  Result<Expression> run(Expression expression, int depth) {
    if (depth > kRawDepthMax) return fail(Errc::invalid_argument, "expression is nested too deeply");
    return std::visit([&](auto& node) { return visit(node, depth); }, expression.node);
  }

  // And and Or are each other's mirror: `neutral` is the value that a child may have without saying anything.
  template <class Node>
  Result<Expression> visit(Node& node, int depth) {
    constexpr bool kNeutral = std::is_same_v<Node, And>;
    std::vector<Expression> kept;
    for (Expression& child : node.children) {
      TRY(Expression normal, run(std::move(child), depth + 1));
      if (is_constant(normal, kNeutral)) continue;
      if (is_constant(normal, !kNeutral)) return Expression::constant(!kNeutral);
      if (auto* same = std::get_if<Node>(&normal.node)) {
        std::move(same->children.begin(), same->children.end(), std::back_inserter(kept));
      } else {
        kept.push_back(std::move(normal));
      }
    }
    if (!kNeutral) merge_tests(kept);
    if (kept.size() == 1) return std::move(kept.front());
    return Expression{Node{std::move(kept)}};
  }

  Result<Expression> visit(Not& node, int depth) {
    TRY(Expression normal, run(std::move(*node.child), depth + 1));
    if (is_constant(normal, true)) return Expression::constant(false);
    if (is_constant(normal, false)) return Expression::constant(true);
    if (auto* inner = std::get_if<Not>(&normal.node)) {
      Expression twice = std::move(*inner->child);
      return twice;
    }
    return Expression::negate(std::move(normal));
  }

  Result<Expression> visit(Test& test, int) {
    if (++tests > kTestsMax) {
      return fail(Errc::invalid_argument, "expression has more than " + std::to_string(kTestsMax) + " tests");
    }
    if (!operator_fits(test.field, test.op)) {
      return refuse(test, "has no operator " + std::string(name_of(test.op)));
    }
    TRY_STATUS(check_part(test));
    if (test.op == Operator::exists) {
      if (!test.operands.empty()) return refuse(test, "operator exists takes no operand");
      return Expression{std::move(test)};
    }
    for (const Operand& operand : test.operands) TRY_STATUS(check_operand(test, operand));
    if (test.operands.empty()) return Expression::constant(false);
    test.case_mode = telling_mode(test);
    if (test.op == Operator::like) return visit_pattern(test);
    for (Operand& operand : test.operands) {
      auto* text = std::get_if<std::string>(&operand);
      if (text != nullptr && test.op != Operator::regex) *text = operand_text(test, *text);
    }
    remove_repeated(test.operands);
    return Expression{std::move(test)};
  }

  Result<Expression> visit_pattern(const Test& test) {
    auto lowered = lower_patterns(test);
    merge_tests(std::get<Or>(lowered.node).children);
    auto& children = std::get<Or>(lowered.node).children;
    if (children.size() == 1) return std::move(children.front());
    return lowered;
  }
};

int depth_of(const Expression& expression) {
  int deepest = 0;
  if (const auto* node = std::get_if<And>(&expression.node)) {
    for (const Expression& child : node->children) deepest = std::max(deepest, depth_of(child));
  } else if (const auto* node = std::get_if<Or>(&expression.node)) {
    for (const Expression& child : node->children) deepest = std::max(deepest, depth_of(child));
  } else if (const auto* node = std::get_if<Not>(&expression.node)) {
    deepest = depth_of(*node->child);
  }
  return deepest + 1;
}

}  // namespace

Result<Expression> normalize(Expression expression) {
  TRY(Expression normal, Normalizer{}.run(std::move(expression), 1));
  if (depth_of(normal) > kDepthMax) {
    return fail(Errc::invalid_argument, "expression is nested more than " + std::to_string(kDepthMax) + " levels deep");
  }
  return normal;
}

}  // namespace redoubt::query
