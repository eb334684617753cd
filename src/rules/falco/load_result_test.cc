// Falco's errors and warnings: each that can be had is had by one of the golden files, the others here.
#include "rules/falco/load_result.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "rules/falco/falco.h"
#include "rules/sigma/document.h"

namespace redoubt::rules::falco {
namespace {

constexpr size_t kExpectedSizeMax = size_t{1} << 20;

TEST(FalcoLoadResult, every_code_is_produced_by_a_golden_file) {
  std::string expected;
  for (const auto& entry : std::filesystem::directory_iterator(REDOUBT_SOURCE_DIR "/tests/golden/rules/falco")) {
    if (entry.path().extension() != ".out") continue;
    const auto text = base::read_file(entry.path(), kExpectedSizeMax);
    ASSERT_TRUE(text);
    expected += *text;
  }
  for (int i = 0; i <= static_cast<int>(LoadCode::unknown_key); ++i) {
    const auto code = static_cast<LoadCode>(i);
    // No plugin extends the engine here; a file that cannot be read is no text.
    const bool has_none =
        code == LoadCode::file_read || code == LoadCode::extension || code == LoadCode::warning_extension;
    EXPECT_EQ(expected.find(std::string(name_of(code)) + " at ") == std::string::npos, has_none) << name_of(code);
  }
}

TEST(FalcoLoadResult, a_file_that_is_too_large_is_not_read) {
  const RuleSetParts parts = check(std::string(sigma::kFileSizeMax + 1, ' '), "a.yaml");
  ASSERT_EQ(parts.refusals.size(), 1U);
  EXPECT_EQ(parts.refusals[0].diagnostic.code, name_of(LoadCode::file_read));
}

}  // namespace
}  // namespace redoubt::rules::falco
