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

TEST(TextCheck, finds_texts_among_many) {
  const std::vector<std::string> lines = {"", "wget x", "Curl", "", "a cur", "l b", "CURLcurl", "no"};
  std::string texts;
  std::vector<uint32_t> sizes;
  const auto found_by = [&](TextCheck check) {
    texts.clear();
    sizes.clear();
    for (const std::string& line : lines) {
      texts += line;
      sizes.push_back(static_cast<uint32_t>(line.size()));
    }
    std::set<size_t> found;
    check.find(texts, sizes, [&](size_t at) { found.insert(at); });
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
