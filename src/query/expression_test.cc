#include "query/expression.h"

#include <gtest/gtest.h>

#include "query/diagnostic.h"
#include "query/pattern.h"

namespace redoubt::query {
namespace {

using event::Field;

Expression name_is(std::string name) {
  return Expression::test(Field::process_name, Operator::equal, {Operand(std::move(name))});
}

std::vector<Expression> list(Expression a, Expression b) {
  std::vector<Expression> both;
  both.push_back(std::move(a));
  both.push_back(std::move(b));
  return both;
}

std::string normal_text(Expression expression) {
  const auto normal = normalize(std::move(expression));
  return normal ? to_text(*normal) : normal.error().message;
}

TEST(Expression, normal_form_is_flat_and_without_constants) {
  EXPECT_EQ(normal_text(Expression::all_of(list(Expression::constant(true), name_is("a")))), "(= process.name \"a\")");
  EXPECT_EQ(normal_text(Expression::all_of(list(Expression::constant(false), name_is("a")))), "false");
  EXPECT_EQ(normal_text(Expression::any_of(list(Expression::constant(true), name_is("a")))), "true");
  EXPECT_EQ(normal_text(Expression::any_of(list(name_is("a"), Expression::any_of(list(name_is("B"), name_is("a")))))),
            "(= process.name \"a\" \"b\")");
  EXPECT_EQ(normal_text(Expression::negate(Expression::negate(name_is("a")))), "(= process.name \"a\")");
  EXPECT_EQ(normal_text(Expression::negate(Expression::constant(true))), "false");
  EXPECT_EQ(normal_text(Expression::test(Field::user_name, Operator::equal, {})), "false");
}

TEST(Expression, plain_patterns_become_plain_operators) {
  const auto like_test = [](std::string pattern) {
    for (size_t at = 0; (at = pattern.find('*', at)) != std::string::npos;) pattern.replace(at, 1, kAnyRunUtf8);
    return normal_text(Expression::test(Field::process_name, Operator::like, {Operand(pattern)}));
  };
  EXPECT_EQ(like_test("A"), "(= process.name \"a\")");
  EXPECT_EQ(like_test("A*"), "(starts_with process.name \"a\")");
  EXPECT_EQ(like_test("**A"), "(ends_with process.name \"a\")");
  EXPECT_EQ(like_test("*A**"), "(contains process.name \"a\")");
  EXPECT_EQ(like_test("*"), "(contains process.name \"\")");
  EXPECT_EQ(like_test("A*B"), "(like process.name \"a*b\")");
}

TEST(Expression, case_mode_stands_only_where_it_says_something) {
  const auto exact = [](Field field) {
    return normal_text(Expression::test(field, Operator::equal, {Operand("A")}, CaseMode::exact));
  };
  EXPECT_EQ(exact(Field::process_name), "(=/exact process.name \"A\")");
  EXPECT_EQ(exact(Field::host_id), "(= host.id \"A\")");
  EXPECT_EQ(exact(Field::process_hash_sha256), "(= process.hash.sha256 \"a\")");
}

TEST(Expression, what_no_back_end_takes_is_refused) {
  const auto message = [](Field field, Operator op, std::vector<Operand> operands) {
    return normal_text(Expression::test(field, op, std::move(operands)));
  };
  EXPECT_EQ(message(Field::process_pid, Operator::equal, {Operand("1")}), "field process.pid: takes a number");
  EXPECT_EQ(message(Field::process_name, Operator::equal, {Operand(int64_t{1})}), "field process.name: takes text");
  EXPECT_EQ(message(Field::process_pid, Operator::contains, {Operand(int64_t{1})}),
            "field process.pid: has no operator contains");
  EXPECT_EQ(message(Field::process_name, Operator::regex, {Operand("a(")}),
            "field process.name: regular expression 'a(': missing ): a(");
  EXPECT_EQ(message(Field::process_name, Operator::regex, {Operand("((a{1000}){1000}){1000}")}).substr(0, 38),
            "field process.name: regular expression");
  EXPECT_EQ(message(Field::source_ip, Operator::cidr, {Operand("10.0.0.0/33")}),
            "field source.ip: '10.0.0.0/33' is not an address prefix such as 10.0.0.0/8");
  EXPECT_EQ(message(Field::process_name, Operator::cidr, {Operand("10.0.0.0/8")}),
            "field process.name: has no operator cidr");
  EXPECT_EQ(message(Field::process_pid, Operator::equal, {Operand(Field::process_start)}),
            "field process.pid: cannot be compared with field process.start");
  EXPECT_EQ(message(Field::process_name, Operator::equal, {Operand("\xff")}),
            "field process.name: operand is not UTF-8");
  EXPECT_EQ(message(Field::process_name, Operator::exists, {Operand("a")}),
            "field process.name: operator exists takes no operand");
}

TEST(Expression, depth_and_size_are_limited) {
  Expression deep = name_is("a");
  for (int i = 0; i < 2 * kDepthMax; ++i) {
    deep = Expression::any_of(
        list(name_is("b"), Expression::negate(Expression::all_of(list(name_is("c"), std::move(deep))))));
  }
  EXPECT_EQ(normal_text(std::move(deep)), "expression is nested more than 100 levels deep");
  Expression hollow = name_is("a");
  for (int i = 0; i < 7 * kDepthMax; ++i) hollow = Expression::negate(std::move(hollow));
  EXPECT_EQ(normal_text(std::move(hollow)), "(= process.name \"a\")");
  std::vector<Expression> many;
  for (size_t i = 0; i <= kTestsMax; ++i) many.push_back(name_is("a"));
  EXPECT_EQ(normal_text(Expression::all_of(std::move(many))), "expression has more than 20000 tests");
}

TEST(Expression, clone_is_equal_and_independent) {
  const Expression original = Expression::negate(Expression::all_of(list(name_is("a"), Expression::of_types(6))));
  EXPECT_EQ(to_text(original.clone()), to_text(original));
  EXPECT_EQ(to_text(original), "(not (and (= process.name \"a\") (= event.type \"process\" \"process_terminate\")))");
}

TEST(Pattern, like_takes_the_whole_text) {
  const auto matches = [](std::string_view text, std::string_view written) {
    std::string pattern;
    for (const char c : written)
      pattern += c == '*' ? std::string(kAnyRunUtf8) : c == '?' ? std::string(kAnyOneUtf8) : std::string(1, c);
    return like(text, pattern);
  };
  EXPECT_TRUE(matches("", "*"));
  EXPECT_FALSE(matches("", "?"));
  EXPECT_TRUE(matches("日本", "??"));
  EXPECT_FALSE(matches("日本", "???"));
  EXPECT_TRUE(matches("a\nb", "a*b"));
  EXPECT_TRUE(matches("abcabd", "*ab?"));
  EXPECT_FALSE(matches("abcabdx", "*ab?"));
  EXPECT_FALSE(matches(std::string(30'000, 'a'), "*a*a*a*a*a*a*b"));
}

TEST(Diagnostic, caret_stands_under_its_place) {
  const Diagnostic diagnostic{.code = "Q102", .line = 2, .column = 3, .length = 2, .message = "wrong", .hint = "so"};
  EXPECT_EQ(diagnostic.render("one\n\täbcd\r\nthree"), "error Q102 at 2:3: wrong\n  \täbcd\n  \t ^^ so");
  EXPECT_EQ(diagnostic.render("one"), "error Q102 at 2:3: wrong\n  so");
}

}  // namespace
}  // namespace redoubt::query
