#include "scan/worker/link_finder.h"

#include <gtest/gtest.h>

namespace redoubt::scan {
namespace {

std::vector<std::string> links_in(std::string_view text) {
  Links links;
  links.add_from_text(text);
  return links.take();
}

TEST(Links, are_found_in_text_and_html) {
  EXPECT_EQ(links_in("see HTTPS://example.org/a?b=1&amp;c=2). or (http://x/y) <a href='ftp://z/'>ftp://z/</a>"),
            (std::vector<std::string>{"HTTPS://example.org/a?b=1&c=2", "http://x/y", "ftp://z/"}));
  EXPECT_EQ(links_in("http://en.example.org/wiki/A_(b) a:b c:/d"),
            std::vector<std::string>{"http://en.example.org/wiki/A_(b)"});
}

TEST(Links, what_is_none_is_left_out) {
  EXPECT_TRUE(links_in("http:// gopher://x javascript:// http:/x :// ").empty());
  EXPECT_TRUE(links_in("http://" + std::string(2000, 'a')).empty());
  Links links;
  links.add("javascript:alert(1)");
  links.add("xhttp://a");
  links.add("http://a\nb");
  EXPECT_TRUE(links.take().empty());
}

TEST(Links, are_at_most_two_hundred) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "http://a/" + std::to_string(i) + " http://a/0 ";
  EXPECT_EQ(links_in(text).size(), 200U);
}

}  // namespace
}  // namespace redoubt::scan
