// docs/falco.md counts the maintained rules as they are judged. REDOUBT_ACCEPT=1 writes the tables.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "base/file.h"
#include "rules/falco/falco.h"
#include "tests/corpora.h"

namespace redoubt::rules::falco {
namespace {

constexpr size_t kDocFileMax = size_t{1} << 20;

struct Counts {
  size_t rules = 0, judged = 0, noted = 0;
  std::map<std::string, size_t> reasons;
};

std::string maintained_rules() { return tests::corpora_directory() + "/falco"; }

Counts count_rules() {
  Counts counts;
  for (const char* file : {"falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml"}) {
    Loader loader;
    loader.add_file(base::read_file(maintained_rules() + "/" + file, kDocFileMax).value(), file);
    for (const LoadedRule& rule : loader.finish().rules) {
      ++counts.rules;
      if (rule.lowered.expression) {
        ++(rule.lowered.notes.empty() ? counts.judged : counts.noted);
      } else {
        ++counts.reasons[rule.lowered.reasons.front()];
      }
    }
  }
  return counts;
}

std::string written_counts(const Counts& counts) {
  const auto row = [](const std::string& what, size_t count) {
    return "| " + what + " | " + std::to_string(count) + " |\n";
  };
  return "| | rules |\n|---|---|\n" + row("all", counts.rules) + row("judged", counts.judged) +
         row("judged, with a note", counts.noted) + row("waiting", counts.rules - counts.judged - counts.noted);
}

std::string written_reasons(const Counts& counts) {
  std::string out = "| first reason | rules |\n|---|---|\n";
  for (const auto& [reason, count] : counts.reasons) out += "| " + reason + " | " + std::to_string(count) + " |\n";
  return out;
}

// `text` with what stands between the two comments of `section` replaced.
std::string with_section(const std::string& text, const std::string& section, const std::string& content) {
  const size_t start = text.find('\n', text.find("<!-- " + section + ":"));
  const size_t end = text.find("<!-- /" + section + " -->");
  CHECK(start != std::string::npos && end != std::string::npos);
  return text.substr(0, start + 1) + content + text.substr(end);
}

TEST(FalcoDoc, counts_the_maintained_rules_as_they_are_judged) {
  if (!std::filesystem::is_directory(maintained_rules())) GTEST_SKIP() << "skipped: no corpora";
  const std::string path = REDOUBT_SOURCE_DIR "/docs/falco.md";
  const auto text = base::read_file(path, kDocFileMax);
  ASSERT_TRUE(text);
  const Counts counts = count_rules();
  const std::string wanted =
      with_section(with_section(*text, "counts", written_counts(counts)), "reasons", written_reasons(counts));
  if (std::getenv("REDOUBT_ACCEPT") != nullptr) {
    ASSERT_TRUE(base::write_file_atomic(path, wanted, base::kPublicFile));
  }
  EXPECT_TRUE(wanted == base::read_file(path, kDocFileMax).value_or(""))
      << "docs/falco.md is behind the rules: run REDOUBT_ACCEPT=1 test_rules_unit";
}

}  // namespace
}  // namespace redoubt::rules::falco
