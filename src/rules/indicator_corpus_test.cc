// The public indicators: every file loads, or is refused with a code and a reason. And what a long list costs.
#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>

#include "base/file.h"
#include "base/hash.h"
#include "rules/indicator_list/rule.h"
#include "rules/openioc/rule.h"
#include "rules/stix/bundle.h"
#include "tests/corpora.h"

namespace redoubt::rules {
namespace {

std::string corpus_directory(const std::string& format) { return tests::corpora_directory() + "/ioc/" + format; }

struct IndicatorTally {
  size_t files = 0;
  size_t rules = 0;
  size_t with_warnings = 0;
  std::map<std::string, size_t> refusals;
};

using Reader = LoadedFile (*)(std::string_view source, const std::string& path);

IndicatorTally tally_of(const std::string& directory, const std::string& extension, Reader read) {
  IndicatorTally tally;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.path().extension() != extension) continue;
    const auto source = base::read_file(entry.path(), stix::kBundleSizeMax);
    CHECK(source.has_value());
    const LoadedFile file = read(*source, entry.path().filename());
    EXPECT_FALSE(file.rules.empty() && file.refusals.empty()) << entry.path();
    ++tally.files;
    tally.rules += file.rules.size();
    for (const LoadedRule& loaded : file.rules) tally.with_warnings += loaded.rule.warnings.empty() ? 0 : 1;
    for (const Refusal& refusal : file.refusals) {
      EXPECT_FALSE(refusal.diagnostic.code.empty()) << entry.path();
      EXPECT_FALSE(refusal.diagnostic.message.empty()) << entry.path();
      const bool hint_tells = refusal.diagnostic.code == openioc::code::kNothing;
      ++tally.refusals[refusal.diagnostic.code + " " +
                       (hint_tells ? refusal.diagnostic.hint : refusal.diagnostic.message)];
    }
  }
  std::cout << tally.files << " files, " << tally.rules << " rules loaded, " << tally.with_warnings
            << " of them with warnings\n";
  for (const auto& [what, count] : tally.refusals) std::cout << "  refused " << what << ": " << count << "\n";
  return tally;
}

TEST(OpenIocCorpus, every_file_loads_or_is_refused_with_a_code) {
  const std::string directory = corpus_directory("openioc");
  if (!std::filesystem::is_directory(directory)) GTEST_SKIP() << "skipped: no corpora";
  const IndicatorTally tally = tally_of(directory, ".ioc", openioc::read_openioc);
  EXPECT_EQ(tally.files, 10U);
  EXPECT_GE(tally.rules, 8U);
}

TEST(StixCorpus, every_indicator_loads_or_is_refused_with_a_code) {
  const std::string directory = corpus_directory("stix");
  if (!std::filesystem::is_directory(directory)) GTEST_SKIP() << "skipped: no corpora";
  const IndicatorTally tally = tally_of(directory, ".json", stix::read_bundle);
  EXPECT_EQ(tally.files, 41U);
  EXPECT_GT(tally.rules, 1100U);
}

std::string hashes(size_t count) {
  std::string list;
  list.reserve(count * 65);
  for (size_t i = 0; i < count; ++i) list += base::sha256_hex(std::to_string(i)) + "\n";
  return list;
}

struct ListCost {
  size_t rule_bytes;     // the rule, as the rule set keeps it
  size_t matcher_bytes;  // each matcher over it
};

ListCost cost_of(size_t count) {
  const std::string list = hashes(count);
  const size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
  LoadedFile file = indicator_list::read_list(list, "big");
  CHECK(file.rules.size() == 1);
  std::vector<Rule> rules;
  rules.push_back(std::move(file.rules.front().rule));
  const auto set = RuleSet::of(std::move(rules));
  CHECK(set.has_value());
  const size_t loaded = mallinfo2().uordblks + mallinfo2().hblkhd;
  const auto matcher = set->compile();
  CHECK(matcher.has_value());
  const size_t compiled = mallinfo2().uordblks + mallinfo2().hblkhd;
  return {.rule_bytes = (loaded - before) / count, .matcher_bytes = (compiled - loaded) / count};
}

// REDOUBT_HASHES=1000000 is the long form.
TEST(IndicatorList, costs_memory_in_proportion) {
  const char* configured = std::getenv("REDOUBT_HASHES");
  const size_t count = configured != nullptr ? std::strtoul(configured, nullptr, 10) : 10'000;
  if (mallinfo2().uordblks == 0) GTEST_SKIP() << "skipped: another allocator stands in";
  const ListCost cost = cost_of(count);
  std::cout << count << " hashes: " << cost.rule_bytes << " bytes each in the rule, " << cost.matcher_bytes
            << " in each matcher\n";
  EXPECT_LT(cost.rule_bytes, 250U);
  EXPECT_LT(cost.matcher_bytes, 400U);
}

}  // namespace
}  // namespace redoubt::rules
