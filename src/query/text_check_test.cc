#include "query/text_check.h"

#include <gtest/gtest.h>
#include <set>

namespace redoubt::query {
namespace {

using event::Field;

TextCheck check(Operator op, std::vector<Operand> operands, CaseMode mode = CaseMode::folded) {
  const Expression normal =
      normalize(Expression::test(Field::process_command_line, op, std::move(operands), mode)).value();
  return TextCheck(std::get<Test>(normal.node));
}

TEST(TextCheck, means_what_the_test_means) {
  EXPECT_TRUE(check(Operator::contains, {"CURL"}).holds("/usr/bin/Curl -s"));
  EXPECT_FALSE(check(Operator::contains, {"CURL"}, CaseMode::exact).holds("/usr/bin/Curl -s"));
  EXPECT_TRUE(check(Operator::starts_with, {"x", "/usr"}).holds("/usr/bin/curl"));
  EXPECT_TRUE(check(Operator::ends_with, {"-S"}).holds("/usr/bin/curl -s"));
  EXPECT_TRUE(check(Operator::equal, {"Straße"}).holds("STRAßE"));
  EXPECT_TRUE(check(Operator::regex, {"c.rl +-s$"}).holds("CURL  -s"));
  EXPECT_FALSE(check(Operator::regex, {"^bin"}).holds("/bin"));
}

TEST(TextCheck, looks_at_many_texts_at_once) {
  const std::string bytes("\x04\0\0\0Curl\x85\0\0\0/bin/\xE2\x84\xAA", 21);
  EXPECT_TRUE(check(Operator::contains, {"CURL"}).may_hold_in(bytes));
  EXPECT_TRUE(check(Operator::contains, {"wget", "rl"}).may_hold_in(bytes));
  EXPECT_TRUE(check(Operator::contains, {"K"}).may_hold_in(bytes));  // of which U+212A is another form
  EXPECT_TRUE(check(Operator::contains, {""}).may_hold_in(bytes));
  EXPECT_TRUE(check(Operator::ends_with, {"x"}).may_hold_in(bytes));  // is not looked for
  EXPECT_FALSE(check(Operator::contains, {"wget"}).may_hold_in(bytes.substr(0, 17)));
}

TEST(TextCheck, finds_texts_among_many) {
  const std::vector<std::string_view> lines = {"", "wget x", "Curl", "", "a cur", "l b", "CURLcurl", "no"};
  const auto found_by = [&](TextCheck check) {
    std::set<size_t> found;
    check.find(lines, [&](size_t at) { found.insert(at); });
    return found;
  };
  EXPECT_EQ(found_by(check(Operator::contains, {"curl"})), (std::set<size_t>{2, 6}));  // not across "a cur" and "l b"
  EXPECT_EQ(found_by(check(Operator::contains, {"curl", "WGET", "no"})), (std::set<size_t>{1, 2, 6, 7}));
  EXPECT_EQ(found_by(check(Operator::contains, {""})).size(), lines.size());
  EXPECT_EQ(found_by(check(Operator::ends_with, {"b"})), (std::set<size_t>{5}));
  EXPECT_EQ(found_by(check(Operator::contains, {"ß"})), (std::set<size_t>{}));
}

}  // namespace
}  // namespace redoubt::query
