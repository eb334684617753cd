// Rules and what they lower to, or the diagnostic that refuses them: tests/golden/rules/*.in → *.out. REDOUBT_ACCEPT=1
// writes the outputs.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "base/time.h"
#include "rules/sigma/document.h"
#include "rules/sigma/rule.h"

namespace redoubt::rules::sigma {
namespace {

std::string joined(const std::vector<std::string>& texts) {
  std::string line;
  for (const std::string& text : texts) line += " " + text;
  return line;
}

std::string headline(const Rule& rule) {
  return rule.title + " [" + std::string(name_of(rule.importance)) + "]" + joined(rule.techniques) +
         joined(rule.tactics) + (rule.alerting == Alerting::off ? " counted only" : "") + "\n  ";
}

std::string describe(const std::vector<correlation::Key>& keys) {
  std::string out;
  for (const correlation::Key& key : keys) {
    out += " " + key.name + "=";
    if (key.places.empty()) out += "#" + std::to_string(key.position);
    for (const correlation::KeyPlace& place : key.places) {
      out += (&place == &key.places.front() ? "" : "|") + std::string(event::info(place.field).name);
      if (!place.attribute.empty()) out += "." + place.attribute;
    }
  }
  return out;
}

std::string describe(const Correlation& each) {
  const correlation::Definition& definition = each.definition;
  const bool at_once = correlation::decision_of(definition) == correlation::Decision::at_once;
  std::string out = headline(each.rule) + std::string(correlation::name_of(definition.type)) + " in " +
                    std::to_string(definition.timespan_us / base::kSecondUs) + " s" + (at_once ? "" : ", at the end");
  for (const correlation::Bound& bound : definition.bounds) {
    out += " " + std::string(correlation::name_of(bound.comparison)) + " " + std::to_string(bound.value);
  }
  for (const correlation::Presence& step : definition.presence) {
    constexpr std::array<std::string_view, 4> kSteps = {"", " not", " and", " or"};
    out += kSteps[static_cast<size_t>(step.step)];
    if (step.step == correlation::PresenceStep::occurs) out += " @" + std::to_string(step.reference);
  }
  out += "\n";
  for (const correlation::Reference& reference : definition.references) {
    out += "  " + reference.id + ":" + describe(reference.group_by) +
           (reference.fields.empty() ? "" : " ;" + describe(reference.fields)) + "\n";
  }
  return out;
}

std::string describe(RuleFile file) {
  std::string out;
  const std::vector<Refusal> warnings = apply_filters(file.filters, file.log_sources, file.rules);
  const auto correlations = link_correlations(std::move(file.correlations), file.rules, file.scopes, file.refusals);
  for (const Rule& rule : file.rules) out += headline(rule) + query::to_text(rule.expression) + "\n";
  for (const Correlation& each : correlations) out += describe(each);
  for (const Refusal& refusal : file.refusals) out += "refused: " + refusal.title + "\n" + refusal.rendered + "\n";
  for (const Refusal& warning : warnings) out += "warning: " + warning.title + "\n" + warning.rendered + "\n";
  return out;
}

std::vector<std::string> golden_inputs() {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(REDOUBT_SOURCE_DIR "/tests/golden/rules")) {
    if (entry.path().extension() == ".in") paths.push_back(entry.path().stem());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

class SigmaGolden : public testing::TestWithParam<std::string> {};

TEST_P(SigmaGolden, lowers_or_refuses_as_written) {
  const std::string stem = std::string(REDOUBT_SOURCE_DIR "/tests/golden/rules/") + GetParam();
  const auto source = base::read_file(stem + ".in", kFileSizeMax);
  ASSERT_TRUE(source) << source.error().message;
  const ReadOptions options{.placeholders = {{"admins", {"root", "adm_*"}}, {"internal", {"10.0.0.0/8", "fd00::/8"}}}};
  const std::string actual = describe(read_rules(*source, GetParam(), options));
  if (std::getenv("REDOUBT_ACCEPT") != nullptr) std::ofstream(stem + ".out") << actual;
  const auto expected = base::read_file(stem + ".out", kFileSizeMax);
  ASSERT_TRUE(expected) << expected.error().message << "; REDOUBT_ACCEPT=1 makes it";
  EXPECT_EQ(actual, *expected);
}

INSTANTIATE_TEST_SUITE_P(Sigma, SigmaGolden, testing::ValuesIn(golden_inputs()),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace redoubt::rules::sigma
