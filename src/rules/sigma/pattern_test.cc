#include "rules/sigma/pattern.h"

#include <gtest/gtest.h>

namespace redoubt::rules::sigma {
namespace {

using query::Operator;

struct PatternCase {
  std::string value;
  Position position;
  Operator op;
  std::string text;
};

const std::string kRun(query::kAnyRunUtf8);
const std::string kOne(query::kAnyOneUtf8);

class PatternTable : public testing::TestWithParam<PatternCase> {};

TEST_P(PatternTable, reads_escapes_and_wildcards) {
  const PatternCase& expected = GetParam();
  const Pattern pattern = read_pattern(expected.value, expected.position);
  EXPECT_EQ(pattern.op, expected.op) << expected.value;
  EXPECT_EQ(pattern.text, expected.text) << expected.value;
}

INSTANTIATE_TEST_SUITE_P(
    Pattern, PatternTable,
    testing::Values(PatternCase{"plain", Position::whole, Operator::equal, "plain"},
                    PatternCase{"", Position::whole, Operator::equal, ""},
                    PatternCase{"*", Position::whole, Operator::exists, ""},
                    PatternCase{"**", Position::whole, Operator::exists, ""},
                    PatternCase{"", Position::anywhere, Operator::exists, ""},
                    PatternCase{"a*", Position::whole, Operator::starts_with, "a"},
                    PatternCase{"*a", Position::whole, Operator::ends_with, "a"},
                    PatternCase{"*a*", Position::whole, Operator::contains, "a"},
                    PatternCase{"a*b", Position::whole, Operator::like, "a" + kRun + "b"},
                    PatternCase{"a?", Position::whole, Operator::like, "a" + kOne},
                    PatternCase{"?", Position::anywhere, Operator::like, kRun + kOne + kRun},
                    PatternCase{"a*b", Position::anywhere, Operator::like, kRun + "a" + kRun + "b" + kRun},
                    PatternCase{"*a", Position::start, Operator::contains, "a"},
                    PatternCase{"a", Position::start, Operator::starts_with, "a"},
                    PatternCase{"a", Position::end, Operator::ends_with, "a"},
                    PatternCase{R"(a\*b)", Position::whole, Operator::equal, "a*b"},
                    PatternCase{R"(a\?)", Position::whole, Operator::equal, "a?"},
                    PatternCase{R"(a\\*)", Position::whole, Operator::starts_with, R"(a\)"},
                    PatternCase{R"(a\\\*)", Position::whole, Operator::equal, R"(a\*)"},
                    PatternCase{R"(C:\Windows)", Position::whole, Operator::equal, R"(C:\Windows)"},
                    PatternCase{R"(\\\\host)", Position::whole, Operator::equal, R"(\\host)"},
                    PatternCase{R"(\\host)", Position::whole, Operator::equal, R"(\host)"},
                    PatternCase{R"(end\)", Position::whole, Operator::equal, R"(end\)"},
                    PatternCase{"\xC3\xA9?", Position::whole, Operator::like, "\xC3\xA9" + kOne}));

}  // namespace
}  // namespace redoubt::rules::sigma
