// Indicator files and what they lower to, or the diagnostic that refuses them: tests/golden/rules/FORMAT/*.in → *.out.
// REDOUBT_ACCEPT=1 writes the outputs.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "rules/openioc/rule.h"
#include "rules/stix/bundle.h"
#include "rules/stix/pattern.h"

namespace redoubt::rules {
namespace {

constexpr char kGolden[] = REDOUBT_SOURCE_DIR "/tests/golden/rules/";

std::string describe(const LoadedFile& file) {
  std::string out;
  for (const LoadedRule& loaded : file.rules) {
    const Rule& rule = loaded.rule;
    out += rule.format + " " + rule.id + " line " + std::to_string(loaded.id_line) + ": " + rule.title;
    for (const auto* list : {&rule.techniques, &rule.tactics, &rule.references}) {
      for (const std::string& text : *list) out += " " + text;
    }
    out += "\n  " + query::to_text(rule.expression) + "\n";
    for (const query::Diagnostic& warning : rule.warnings) {
      out += "  warning " + warning.code + " at " + std::to_string(warning.line) + ":" +
             std::to_string(warning.column) + ": " + warning.message + "\n";
    }
  }
  for (const Refusal& refusal : file.refusals) out += "refused: " + refusal.title + "\n" + refusal.rendered + "\n";
  return out;
}

// "openioc/NAME"
std::vector<std::string> golden_inputs(const std::string& format) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kGolden + format)) {
    if (entry.path().extension() == ".in") names.push_back(format + "/" + entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  return info.param.substr(info.param.find('/') + 1);
}

// One pattern a line.
std::string describe_patterns(std::string_view source) {
  std::string out;
  while (!source.empty()) {
    const std::string_view line = source.substr(0, source.find('\n'));
    source.remove_prefix(std::min(source.size(), line.size() + 1));
    if (line.empty()) continue;
    out += std::string(line) + "\n";
    const auto pattern = stix::read_pattern(line);
    if (!pattern) {
      out += pattern.error().render(line) + "\n\n";
      continue;
    }
    const auto lowered = lower_criterion(pattern->criterion);
    out += "  " + (lowered ? query::to_text(*lowered) : lowered.error().message) + "\n";
    for (const query::Diagnostic& warning : pattern->warnings) {
      out += "  warning " + warning.code + " at " + std::to_string(warning.column) + ": " + warning.message + "\n";
    }
    out += "\n";
  }
  return out;
}

std::string describe_golden(const std::string& name, std::string_view source) {
  if (name.starts_with("openioc/")) return describe(openioc::read_openioc(source, name));
  return name.starts_with("stix/bundle") ? describe(stix::read_bundle(source, name)) : describe_patterns(source);
}

class IndicatorGolden : public testing::TestWithParam<std::string> {};

TEST_P(IndicatorGolden, lowers_or_refuses_as_written) {
  const std::string stem = kGolden + GetParam();
  const auto source = base::read_file(stem + ".in", size_t{1} << 20);
  ASSERT_TRUE(source) << source.error().message;
  const std::string actual = describe_golden(GetParam(), *source);
  if (std::getenv("REDOUBT_ACCEPT") != nullptr) std::ofstream(stem + ".out") << actual;
  const auto expected = base::read_file(stem + ".out", size_t{1} << 20);
  ASSERT_TRUE(expected) << expected.error().message << "; REDOUBT_ACCEPT=1 makes it";
  EXPECT_EQ(actual, *expected);
}

INSTANTIATE_TEST_SUITE_P(OpenIoc, IndicatorGolden, testing::ValuesIn(golden_inputs("openioc")), test_name);
INSTANTIATE_TEST_SUITE_P(Stix, IndicatorGolden, testing::ValuesIn(golden_inputs("stix")), test_name);

}  // namespace
}  // namespace redoubt::rules
