#include "scan/worker/rule_splitter.h"

#include <gtest/gtest.h>

namespace redoubt::scan {
namespace {

std::vector<std::string> names_in(std::string_view text) {
  std::vector<std::string> names;
  for (const RuleStatement& statement : split_rules(text)) names.push_back(statement.name);
  return names;
}

TEST(RuleSplitter, braces_in_strings_patterns_and_comments_are_none) {
  EXPECT_EQ(names_in("import \"pe\"\n// rule x {\nprivate global rule A : tag { strings: $a = \"}\" $b = /\\/}/ "
                     "/* } */ $c = { 4D ( 5A | 00 ) } condition: any of them }\nrule B{condition:true}"),
            (std::vector<std::string>{"", "A", "B"}));
}

TEST(RuleSplitter, missing_brace_ends_at_the_next_rule) {
  const auto statements = split_rules("rule A { condition: true\n\nrule B { condition: true }\n");
  ASSERT_EQ(statements.size(), 2U);
  EXPECT_EQ(statements[0].name, "A");
  EXPECT_EQ(statements[1].first_line, 3U);
}

TEST(RuleSplitter, what_is_no_rule_is_a_statement_too) {
  EXPECT_EQ(names_in("}} what is this\nrule A {}"), (std::vector<std::string>{"", "A"}));
  EXPECT_EQ(names_in("rule"), std::vector<std::string>{""});
  EXPECT_TRUE(names_in("/* never closed").empty());
}

TEST(RuleSplitter, blanked_statement_keeps_the_lines_of_the_others) {
  std::string text = "rule A {\n\n}\nrule B {}";
  blank(text, split_rules(text)[0]);
  EXPECT_EQ(text, "        \n\n \nrule B {}");
}

}  // namespace
}  // namespace redoubt::scan
