#include "scan/worker/identify/magic_needles.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <bit>
#include <string_view>

namespace redoubt::scan::magic {
namespace {

constexpr uint8_t kLong = 4, kBigEndianLong = 8;

Entry entry(uint8_t type, std::string_view value, int32_t offset = 0) {
  Entry made;
  made.relation = '=';
  made.type = type;
  made.offset = offset;
  made.value_bytes = static_cast<uint8_t>(value.size());
  std::copy(value.begin(), value.end(), made.value.begin());
  return made;
}

// "foo@4 a|b": needles with their places and alternatives.
std::string shown(const Needles& needles) {
  std::string text;
  for (const Needle& needle : needles) {
    if (!text.empty()) text += ' ';
    for (size_t i = 0; i < needle.any.size(); ++i) text += (i == 0 ? "" : "|") + needle.any[i];
    if (needle.place) text += "@" + std::to_string(*needle.place);
  }
  return text;
}

TEST(MagicNeedles, a_string_is_one_in_its_place_up_to_a_blank) {
  EXPECT_EQ(shown(needles_of(entry(kString, "#!/bin/SH", 2))), "#!/bin/sh@2");
  EXPECT_EQ(shown(needles_of(entry(kString, "#! /bin/sh"))), "#!@0 /bin/sh");
  EXPECT_EQ(shown(needles_of(entry(kSearch, "<html", 10))), "<html");
  Entry relative = entry(kString, "tail");
  relative.flags = kNotFromStart;
  EXPECT_EQ(shown(needles_of(relative)), "tail");
}

TEST(MagicNeedles, a_number_has_its_bytes_in_the_order_of_the_file) {
  EXPECT_EQ(shown(needles_of(entry(kLong, "abcd", 1))), "abcd@1");
  EXPECT_EQ(shown(needles_of(entry(kBigEndianLong, "abcd"))), "dcba@0");
  Entry masked = entry(kLong, "abcd");
  masked.mask = std::bit_cast<uint64_t>(std::array<char, 8>{'\xff', '\x0f', '\xff', '\xff'});
  EXPECT_EQ(shown(needles_of(masked)), "a@0 cd@2");
}

TEST(MagicNeedles, an_expression_has_what_no_way_through_it_is_without) {
  EXPECT_EQ(shown(needles_of(entry(kRegex, "^[ \t]*def +[a-z]+\\(self"))), "def  (self");
  EXPECT_EQ(shown(needles_of(entry(kRegex, "colou?r"))), "colo r");
  EXPECT_EQ(shown(needles_of(entry(kRegex, "x(long|er)y"))), "x long|er y");
  EXPECT_EQ(shown(needles_of(entry(kRegex, "a(b|)c"))), "a c");
  EXPECT_EQ(shown(needles_of(entry(kRegex, "(ab){0,3}c{2}"))), "c");
  EXPECT_EQ(shown(needles_of(entry(kRegex, "one|[0-9]+"))), "");
}

TEST(MagicNeedles, nothing_is_known_of_what_a_content_may_not_be) {
  Entry other = entry(kString, "abc");
  other.relation = '!';
  EXPECT_TRUE(needles_of(other).empty());
  Entry either = entry(kString, "abc");
  either.condition = 1;
  EXPECT_TRUE(needles_of(either).empty());
}

}  // namespace
}  // namespace redoubt::scan::magic
