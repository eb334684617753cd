// The rules that the Falco project maintains: all of them load without an error; how many our events serve is printed.
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <iostream>
#include <map>

#include "base/file.h"
#include "rules/falco/falco.h"
#include "tests/corpora.h"

namespace redoubt::rules::falco {
namespace {

constexpr size_t kCorpusFileMax = size_t{1} << 20;

std::string falco_directory() { return tests::corpora_directory() + "/falco"; }

TEST(FalcoCorpus, every_rule_loads_without_an_error) {
  const std::string directory = falco_directory();
  if (!std::filesystem::is_directory(directory)) GTEST_SKIP() << "skipped: no corpora";
  size_t rules = 0;
  size_t lowered = 0;
  size_t noted = 0;
  std::map<std::string, size_t> reasons;
  for (const char* file : {"falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml"}) {
    const auto source = base::read_file(directory + "/" + file, kCorpusFileMax);
    ASSERT_TRUE(source) << source.error().message;
    EXPECT_TRUE(is_falco_file(*source));
    Loader loader;
    loader.add_file(*source, file);
    const Loaded loaded = loader.finish();
    for (const Finding& finding : loaded.result.findings) {
      EXPECT_FALSE(is_error(finding.code)) << file << " " << finding.item << ": " << finding.diagnostic.message;
    }
    rules += loaded.rules.size();
    for (const LoadedRule& rule : loaded.rules) {
      lowered += rule.lowered.expression ? 1 : 0;
      noted += rule.lowered.expression && !rule.lowered.notes.empty() ? 1 : 0;
      if (rule.lowered.expression) {
        std::cout << "  judged: " << rule.definition.name << "\n";
      } else {
        ASSERT_FALSE(rule.lowered.reasons.empty()) << rule.definition.name;
        ++reasons[rule.lowered.reasons.front()];
      }
    }
  }
  std::cout << rules << " rules, " << lowered << " judged on our events, " << noted << " of them with a note\n";
  for (const auto& [reason, count] : reasons) std::cout << "  " << count << " not judged: " << reason << "\n";
  EXPECT_EQ(rules, 93U);
  EXPECT_GE(lowered, 25U);
}

}  // namespace
}  // namespace redoubt::rules::falco
