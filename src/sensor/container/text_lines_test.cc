#include "sensor/container/text_lines.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"

namespace redoubt::sensor {
namespace {

TEST(TextLines, joins_lines_and_keeps_each_on_its_own) {
  TextLines lines;
  lines.add("a", "1");
  lines.add("b", "two\nlines");
  EXPECT_EQ(lines.take(), "a=1\nb=two\\nlines");
}

TEST(TextLines, cuts_long_lines_between_characters) {
  EXPECT_EQ(bounded_text("abcdef", 6), "abcdef");
  EXPECT_EQ(bounded_text("abcdefg", 6), "abc…");
  EXPECT_EQ(bounded_text("abäöü", 7), "abä…");
  EXPECT_EQ(bounded_text("\xff", 10), "\\xff");
}

TEST(TextLines, is_bounded_in_lines_and_bytes_and_says_so) {
  TextLines many;
  for (size_t i = 0; i < 3 * TextLines::kLinesMax; ++i) many.add("k", std::to_string(i));
  const std::string text = many.take();
  EXPECT_TRUE(text.ends_with("\n…"));
  EXPECT_EQ(static_cast<size_t>(std::count(text.begin(), text.end(), '\n')), TextLines::kLinesMax);

  TextLines large;
  for (size_t i = 0; i < TextLines::kLinesMax; ++i) large.add(std::string(10 * TextLines::kLineBytesMax, 'x'));
  const std::string cut = large.take();
  EXPECT_LE(cut.size(), TextLines::kBytesMax + 4);
  EXPECT_TRUE(cut.ends_with("\n…"));
  EXPECT_TRUE(base::is_utf8(cut));
}

}  // namespace
}  // namespace redoubt::sensor
