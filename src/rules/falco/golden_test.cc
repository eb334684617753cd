// Falco files, what loading them found and what the rules lower to: tests/golden/rules/falco/*.in → *.out.
// REDOUBT_ACCEPT=1 writes the outputs.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "rules/falco/falco.h"

namespace redoubt::rules::falco {
namespace {

constexpr size_t kGoldenSizeMax = size_t{1} << 20;

std::string describe(const Loaded& loaded) {
  std::string out;
  for (const Finding& finding : loaded.result.findings) {
    out += std::string(name_of(finding.code)) + " at " + std::to_string(finding.diagnostic.line) + ":" +
           std::to_string(finding.diagnostic.column) + " " + finding.item + ": " + finding.diagnostic.message;
    out += finding.diagnostic.hint.empty() ? "\n" : " (" + finding.diagnostic.hint + ")\n";
  }
  for (const LoadedRule& rule : loaded.rules) {
    out += rule.definition.name + (rule.definition.enabled == Answer::yes ? "" : " (disabled)") + "\n  " +
           to_text(rule.filter) + "\n";
    if (rule.lowered.expression) out += "  " + query::to_text(*rule.lowered.expression) + "\n";
    for (const std::string& reason : rule.lowered.reasons) out += "  not judged: " + reason + "\n";
    for (const std::string& note : rule.lowered.notes) out += "  note: " + note + "\n";
  }
  return out;
}

std::vector<std::string> falco_golden_inputs() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(REDOUBT_SOURCE_DIR "/tests/golden/rules/falco")) {
    if (entry.path().extension() == ".in") names.push_back(entry.path().stem());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class FalcoGolden : public testing::TestWithParam<std::string> {};

TEST_P(FalcoGolden, loads_and_lowers_as_written) {
  const std::string stem = std::string(REDOUBT_SOURCE_DIR "/tests/golden/rules/falco/") + GetParam();
  const auto source = base::read_file(stem + ".in", kGoldenSizeMax);
  ASSERT_TRUE(source) << source.error().message;
  Loader loader;
  loader.add_file(*source, GetParam());
  const std::string actual = describe(loader.finish());
  if (std::getenv("REDOUBT_ACCEPT") != nullptr) std::ofstream(stem + ".out") << actual;
  const auto expected = base::read_file(stem + ".out", kGoldenSizeMax);
  ASSERT_TRUE(expected) << expected.error().message << "; REDOUBT_ACCEPT=1 makes it";
  EXPECT_EQ(actual, *expected);
}

INSTANTIATE_TEST_SUITE_P(Falco, FalcoGolden, testing::ValuesIn(falco_golden_inputs()),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace redoubt::rules::falco
