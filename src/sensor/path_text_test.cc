#include "sensor/path_text.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace redoubt::sensor {
namespace {

using std::string_literals::operator""s;

TEST(PathText, turns_components_round) {
  EXPECT_EQ(path_from_components("cron.d\0etc\0"s), "/etc/cron.d");
  EXPECT_EQ(path_from_components("cron.d\0etc"s), "/etc/cron.d") << "cut short";
  EXPECT_EQ(path_from_components(""), "/");
  EXPECT_EQ(path_from_components("\0\0"s), "/");
}

TEST(PathText, resolves_without_leaving_the_root) {
  EXPECT_EQ(resolve_path("/home/a", "b/../c//./d"), "/home/a/c/d");
  EXPECT_EQ(resolve_path("/home/a", "../../../../x"), "/x");
  EXPECT_EQ(resolve_path("/", "/etc/passwd"), "/etc/passwd");
  EXPECT_EQ(resolve_path("/jail", "/etc/passwd"), "/jail/etc/passwd");
  EXPECT_EQ(resolve_path("/", ""), "/");
}

TEST(PathText, joins_arguments_and_tells_what_is_missing) {
  EXPECT_EQ(command_line_from("ls\0-l\0"s, 6), "ls -l");
  EXPECT_EQ(command_line_from("ls\0\0"s, 4), "ls ") << "an empty argument stays visible";
  EXPECT_EQ(command_line_from("ls\0-l"s, 100), "ls -l…[+95 bytes]");
  EXPECT_EQ(command_line_from("", 0), "");
}

TEST(PathText, gives_valid_text_of_bounded_size) {
  EXPECT_EQ(field_text("a\xff"), "a\\xff");
  std::string wide;
  while (wide.size() < 2 * kFieldBytesMax) wide += "€";
  const std::string cut = field_text(wide);
  EXPECT_LE(cut.size(), kFieldBytesMax);
  EXPECT_GT(cut.size(), kFieldBytesMax - 4);
  EXPECT_TRUE(base::is_utf8(cut));
  EXPECT_TRUE(base::is_utf8(field_text(std::string(size_t{64} << 10, '\xfe'))));
}

}  // namespace
}  // namespace redoubt::sensor
