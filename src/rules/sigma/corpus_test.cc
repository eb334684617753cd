// The public Sigma rules: each loads or is refused with a code and a line.
#include <gtest/gtest.h>

#include <filesystem>
#include <iostream>
#include <map>

#include "base/file.h"
#include "rules/sigma/document.h"
#include "rules/sigma/rule.h"
#include "tests/corpora.h"

namespace redoubt::rules::sigma {
namespace {

// How many files became a rule, and how many were refused by which code.
struct Tally {
  size_t files = 0;
  size_t rules = 0;
  std::map<std::string, size_t> refusals;
  std::map<std::string, size_t> linux_refusals;
};

bool is_about_our_linux_events(const std::filesystem::path& path) {
  const std::string text = path.string();
  return text.find("linux/process_creation") != std::string::npos ||
         text.find("linux/file_event") != std::string::npos ||
         text.find("linux/network_connection") != std::string::npos;
}

void tally_file(const std::filesystem::path& path, Tally& tally) {
  const auto source = base::read_file(path, kFileSizeMax);
  ASSERT_TRUE(source) << source.error().message;
  const RuleFile file = read_rules(*source, path);
  EXPECT_FALSE(file.rules.empty() && file.refusals.empty()) << path;
  ++tally.files;
  tally.rules += file.rules.size();
  for (const Refusal& refusal : file.refusals) {
    EXPECT_FALSE(refusal.diagnostic.code.empty()) << path;
    EXPECT_GE(refusal.diagnostic.line, 1U) << path;
    EXPECT_FALSE(refusal.diagnostic.message.empty()) << path;
    ++tally.refusals[refusal.diagnostic.code];
    if (is_about_our_linux_events(path))
      ++tally.linux_refusals[refusal.diagnostic.code + " " + refusal.diagnostic.message];
  }
}

TEST(SigmaCorpus, every_rule_loads_or_is_refused_with_a_code) {
  const std::string directory = tests::corpora_directory() + "/sigma/rules";
  if (!std::filesystem::is_directory(directory)) GTEST_SKIP() << "skipped: no corpora";
  Tally tally;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.path().extension() == ".yml") tally_file(entry.path(), tally);
  }
  std::cout << tally.files << " files, " << tally.rules << " rules loaded\n";
  for (const auto& [code, count] : tally.refusals) std::cout << "  refused " << code << ": " << count << "\n";
  for (const auto& [what, count] : tally.linux_refusals) std::cout << "  linux " << what << ": " << count << "\n";
  EXPECT_GT(tally.files, 3000U);
  EXPECT_GT(tally.rules, 150U);
  EXPECT_EQ(tally.refusals.count("S101"), 0U);
  EXPECT_EQ(tally.refusals.count("S401"), 0U);
}

// Reasons that come from what agents here record, not from the language; every other is a fault of the front end.
bool is_explained(const query::Diagnostic& diagnostic) {
  return diagnostic.code == code::kPlaceholder || diagnostic.message.find("has no counterpart in") != std::string::npos;
}

TEST(SigmaCorpus, every_rule_lowers_where_its_log_source_and_fields_are_taken_for_known) {
  const std::string directory = tests::corpora_directory() + "/sigma/rules";
  if (!std::filesystem::is_directory(directory)) GTEST_SKIP() << "skipped: no corpora";
  ReadOptions options;
  options.vocabulary = Vocabulary::any;
  size_t rules = 0;
  std::map<std::string, size_t> explained;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.path().extension() != ".yml") continue;
    const auto source = base::read_file(entry.path(), kFileSizeMax);
    ASSERT_TRUE(source) << source.error().message;
    const RuleFile file = read_rules(*source, entry.path(), options);
    rules += file.rules.size();
    for (const Refusal& refusal : file.refusals) {
      EXPECT_TRUE(is_explained(refusal.diagnostic)) << refusal.path << "\n" << refusal.rendered;
      ++explained[refusal.diagnostic.code];
    }
  }
  std::cout << rules << " rules lowered\n";
  for (const auto& [code, count] : explained) std::cout << "  refused " << code << ": " << count << "\n";
  EXPECT_GT(rules, 3700U);
}

// The rules with the most values: thousands of hashes, a thousand emoji.
TEST(SigmaCorpus, the_longest_rules_lower_and_compile) {
  const std::string directory = tests::corpora_directory() + "/sigma/rules";
  if (!std::filesystem::is_directory(directory)) GTEST_SKIP() << "skipped: no corpora";
  ReadOptions options;
  options.vocabulary = Vocabulary::any;
  std::vector<Rule> rules;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    const std::string name = entry.path().filename();
    if (name != "driver_load_win_vuln_drivers.yml" && name.find("susp_emoji_usage_in_cli") == std::string::npos)
      continue;
    const auto source = base::read_file(entry.path(), kFileSizeMax);
    ASSERT_TRUE(source) << source.error().message;
    RuleFile file = read_rules(*source, entry.path(), options);
    for (const Refusal& refusal : file.refusals) ADD_FAILURE() << refusal.rendered;
    std::move(file.rules.begin(), file.rules.end(), std::back_inserter(rules));
  }
  EXPECT_GE(rules.size(), 4U);
  const auto set = RuleSet::of(std::move(rules));
  ASSERT_TRUE(set) << set.error().message;
  EXPECT_TRUE(set->compile());
}

}  // namespace
}  // namespace redoubt::rules::sigma
