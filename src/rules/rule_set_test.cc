#include "rules/rule_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "base/file.h"

namespace redoubt::rules {
namespace {

constexpr char kLibrary[] = REDOUBT_SOURCE_DIR "/rules/sigma";
constexpr char kTriggers[] = REDOUBT_SOURCE_DIR "/tests/triggers";

std::string rule_text(const std::string& id, const std::string& image) {
  return "title: T\nid: " + id +
         "\nlogsource: {product: linux, category: process_creation}\ndetection:\n  s: {Image: " + image +
         "}\n  condition: s\n";
}

constexpr char kFirstId[] = "00000000-0000-4000-8000-000000000001";
constexpr char kSecondId[] = "00000000-0000-4000-8000-000000000002";

TEST(RuleSet, loads_below_a_directory_in_order_of_paths) {
  const base::TempDir directory;
  std::filesystem::create_directories(directory / "b/c");
  std::ofstream(directory / "b/c/two.yml") << rule_text(kSecondId, "x");
  std::ofstream(directory / "a.yml") << rule_text(kFirstId, "y");
  std::ofstream(directory / "notes.txt") << "no rule";
  const auto set = RuleSet::load(directory.path());
  ASSERT_TRUE(set) << set.error().message;
  ASSERT_EQ(set->rules().size(), 2U);
  EXPECT_EQ(set->rules()[0].path, "a.yml");
  EXPECT_EQ(set->rules()[1].path, "b/c/two.yml");
  EXPECT_TRUE(set->refusals().empty());
}

TEST(RuleSet, refuses_bad_and_duplicate_rules_and_goes_on) {
  const base::TempDir directory;
  std::ofstream(directory / "1.yml") << rule_text(kFirstId, "x");
  std::ofstream(directory / "2.yml") << rule_text(kFirstId, "y");
  std::ofstream(directory / "3.yml") << "title: [";
  std::ofstream(directory / "4.yml") << std::string((size_t{1} << 20) + 1, '#');
  std::ofstream(directory / "5.yml") << rule_text(kSecondId, "x");
  const auto set = RuleSet::load(directory.path());
  ASSERT_TRUE(set) << set.error().message;
  EXPECT_EQ(set->rules().size(), 2U);
  std::vector<std::string> codes;
  for (const Refusal& refusal : set->refusals())
    codes.push_back(refusal.path + " " + refusal.diagnostic.code + " " + std::to_string(refusal.diagnostic.line));
  EXPECT_THAT(codes, testing::ElementsAre("2.yml S106 2", "3.yml S101 1", "4.yml S100 1"));
}

TEST(RuleSet, reports_a_directory_that_is_not_there) {
  const auto set = RuleSet::load("/nonexistent/rules");
  ASSERT_FALSE(set);
  EXPECT_NE(set.error().message.find("/nonexistent/rules"), std::string::npos);
}

TEST(RuleSet, derives_the_same_id_for_a_rule_without_one) {
  const base::TempDir directory;
  std::string text = rule_text(kFirstId, "x");
  text.erase(text.find("id: "), std::string("id: ").size() + 36 + 1);
  std::ofstream(directory / "a.yml") << text;
  std::ofstream(directory / "b.yml") << text;
  const auto first = RuleSet::load(directory.path());
  const auto second = RuleSet::load(directory.path());
  ASSERT_TRUE(first && second);
  ASSERT_EQ(first->rules().size(), 2U);
  EXPECT_EQ(first->rules()[0].id, second->rules()[0].id);
  EXPECT_NE(first->rules()[0].id, first->rules()[1].id);
  EXPECT_EQ(first->rules()[0].id.size(), 36U);
}

TEST(RuleSet, filters_narrow_rules_of_other_files) {
  const base::TempDir directory;
  const std::string filter = "title: F\nlogsource: {product: linux}\nfilter:\n  rules: [" + std::string(kFirstId) +
                             ", nobody]\n  selection: {User: backup}\n  condition: not selection\n";
  std::ofstream(directory / "0_filter.yml") << filter;
  std::ofstream(directory / "1.yml") << rule_text(kFirstId, "x");
  std::ofstream(directory / "2.yml") << rule_text(kSecondId, "x");
  const auto set = RuleSet::load(directory.path());
  ASSERT_TRUE(set) << set.error().message;
  EXPECT_TRUE(set->refusals().empty());
  ASSERT_EQ(set->rules().size(), 2U);
  EXPECT_THAT(query::to_text(set->rules()[0].expression), testing::HasSubstr("(not (= user.name \"backup\"))"));
  EXPECT_THAT(query::to_text(set->rules()[1].expression), testing::Not(testing::HasSubstr("user.name")));
  ASSERT_EQ(set->warnings().size(), 1U);
  EXPECT_EQ(set->warnings()[0].diagnostic.code, "S406");
  EXPECT_THAT(set->warnings()[0].rendered, testing::HasSubstr("warning S406 at 4:"));
}

TEST(RuleSet, placeholders_come_from_a_file_beside_the_rules) {
  const base::TempDir directory;
  std::string text = rule_text(kFirstId, "'%shells%'");
  text.replace(text.find("Image"), 5, "Image|expand");
  std::ofstream(directory / "1.yml") << text;
  const auto without = RuleSet::load(directory.path());
  ASSERT_TRUE(without);
  ASSERT_EQ(without->refusals().size(), 1U);
  EXPECT_EQ(without->refusals()[0].diagnostic.code, "S309");
  std::ofstream(directory / "placeholders.yml") << "shells: ['*/bash', /bin/sh]\n";
  const auto set = RuleSet::load(directory.path());
  ASSERT_TRUE(set);
  EXPECT_TRUE(set->refusals().empty());
  ASSERT_EQ(set->rules().size(), 1U);
  EXPECT_THAT(query::to_text(set->rules()[0].expression),
              testing::HasSubstr("(ends_with process.executable \"/bash\")"));
}

TEST(RuleSet, of_rejects_two_rules_with_one_id) {
  std::vector<Rule> rules(2);
  rules[0].id = rules[1].id = kFirstId;
  EXPECT_FALSE(RuleSet::of(std::move(rules)));
}

TEST(RuleLibrary, loads_without_a_refusal) {
  const auto set = RuleSet::load(kLibrary);
  ASSERT_TRUE(set) << set.error().message;
  for (const Refusal& refusal : set->refusals()) ADD_FAILURE() << refusal.path << "\n" << refusal.rendered;
  EXPECT_GE(set->rules().size(), 20U);
  for (const Rule& rule : set->rules()) {
    EXPECT_FALSE(rule.description.empty()) << rule.path;
    EXPECT_FALSE(rule.false_positives.empty()) << rule.path;
    EXPECT_FALSE(rule.techniques.empty()) << rule.path;
    EXPECT_FALSE(rule.tactics.empty()) << rule.path;
    EXPECT_EQ(rule.author, "Redoubt") << rule.path;
    const std::string folder = std::filesystem::path(rule.path).parent_path().filename();
    EXPECT_THAT(rule.tactics, testing::Contains(folder)) << rule.path;
  }
}

// The id that a trigger script names in its second line.
std::string triggered_rule(const std::filesystem::path& script) {
  std::ifstream file(script);
  std::string line;
  std::getline(file, line);
  std::getline(file, line);
  const std::string prefix = "# rule: ";
  return line.starts_with(prefix) ? line.substr(prefix.size()) : "";
}

TEST(RuleLibrary, has_exactly_one_trigger_script_a_rule) {
  const auto set = RuleSet::load(kLibrary);
  ASSERT_TRUE(set) << set.error().message;
  std::map<std::string, std::string> triggers;  // by the stem of their name
  for (const auto& entry : std::filesystem::directory_iterator(kTriggers)) {
    if (entry.path().extension() != ".sh") continue;
    triggers[entry.path().stem()] = triggered_rule(entry.path());
    EXPECT_NE(entry.status().permissions() & std::filesystem::perms::owner_exec, std::filesystem::perms::none)
        << entry.path();
  }
  for (const Rule& rule : set->rules()) {
    const std::string stem = std::filesystem::path(rule.path).stem();
    ASSERT_EQ(triggers.count(stem), 1U) << "no tests/triggers/" << stem << ".sh";
    EXPECT_EQ(triggers[stem], rule.id) << stem;
    triggers.erase(stem);
  }
  for (const auto& [stem, id] : triggers) ADD_FAILURE() << "tests/triggers/" << stem << ".sh triggers no rule";
}

TEST(ReadText, takes_every_format_by_name_or_by_content) {
  const std::string sigma = rule_text(kFirstId, "x");
  const std::string falco =
      "- rule: Shell\n  desc: d\n  condition: evt.type = execve and proc.name = bash\n  output: o\n  priority: ERROR\n";
  const std::string list = "# title: Bad ones\n203.0.113.0/24\n2001:db8::1\n";
  const std::string stix =
      R"({"type":"bundle","id":"bundle--1","objects":[{"type":"indicator","id":"indicator--1","pattern_type":"stix",)"
      R"("pattern":"[ipv4-addr:value = '203.0.113.7']","valid_from":"2020-01-01T00:00:00Z"}]})";
  const std::string ioc =
      R"(<ioc xmlns="http://schemas.mandiant.com/2010/ioc" id="a"><short_description>d</short_description><definition>)"
      R"(<Indicator operator="OR" id="b"><IndicatorItem id="c" condition="is"><Context document="FileItem" search="FileItem/FullPath" type="mir"/>)"
      R"(<Content type="string">/tmp/x</Content></IndicatorItem></Indicator></definition></ioc>)";
  struct Case {
    std::string_view format;
    const std::string& text;
    std::string_view name;
  };
  for (const Case& each :
       {Case{"sigma", sigma, "a.yml"}, Case{"falco", falco, "b.yaml"}, Case{"list", list, "c.iocs.txt"},
        Case{"stix", stix, "d.stix.json"}, Case{"openioc", ioc, "e.ioc"}}) {
    for (const std::string_view name : {each.name, std::string_view()}) {
      const RuleText read = read_text(each.text, name);
      EXPECT_EQ(read.format, each.format);
      EXPECT_TRUE(read.refusals.empty()) << each.format << ": " << read.refusals.front().rendered;
      ASSERT_EQ(read.rules.size(), 1U) << each.format;
      EXPECT_EQ(read.rules[0].path, name);
    }
  }
}

TEST(ReadText, lists_each_rule_and_says_what_is_wrong_with_others) {
  const RuleText two = read_text(rule_text(kFirstId, "x") + "---\n" + rule_text(kSecondId, "y"));
  EXPECT_EQ(two.rules.size(), 2U);
  const RuleText half = read_text(rule_text(kFirstId, "x") + "---\n" + rule_text(kFirstId, "y"));
  EXPECT_EQ(half.rules.size(), 1U);
  ASSERT_EQ(half.refusals.size(), 1U);
  EXPECT_EQ(half.refusals[0].diagnostic.code, "S106");
  for (const char* nothing : {"", "  \n", "# nothing\n"}) {
    const RuleText none = read_text(nothing);
    EXPECT_TRUE(none.rules.empty());
    ASSERT_FALSE(none.refusals.empty());
  }
  std::string wrong = rule_text(kFirstId, "x");
  wrong.replace(wrong.find("Image"), 5, "Imag");
  const RuleText mistaken = read_text(wrong);
  ASSERT_EQ(mistaken.refusals.size(), 1U);
  EXPECT_EQ(mistaken.refusals[0].diagnostic.line, 5U);
  EXPECT_NE(mistaken.refusals[0].rendered.find("Image"), std::string::npos) << mistaken.refusals[0].rendered;
}

}  // namespace
}  // namespace redoubt::rules
