#include "scan/worker/passwords.h"

#include <gtest/gtest.h>
#include <algorithm>

namespace redoubt::scan {
namespace {

TEST(Passwords, word_after_a_keyword_comes_first) {
  EXPECT_EQ(find_passwords("hello there, password: Xq7-zebra and more", 1), std::vector<std::string>{"Xq7-zebra"});
  EXPECT_EQ(find_passwords("hello, password=1", 1), std::vector<std::string>{"1"});
  EXPECT_EQ(find_passwords("Письмо. Пароль: тайна", 1), std::vector<std::string>{"тайна"});
  EXPECT_EQ(find_passwords("le mot de passe: abc.", 1), std::vector<std::string>{"abc"});
  EXPECT_EQ(find_passwords("<p>Passwort <b>geheim</b></p>", 1), std::vector<std::string>{"geheim"});
  EXPECT_EQ(find_passwords("open it with «two words» please", 1), std::vector<std::string>{"two words"});
}

TEST(Passwords, known_ones_come_before_found_and_common_ones) {
  Passwords passwords({"known"});
  passwords.add_from_name("invoice_(pw-4711).zip");
  const auto all = passwords.candidates();
  EXPECT_EQ(all.front(), "known");
  const auto found = std::find(all.begin(), all.end(), "4711");
  const auto common = std::find(all.begin(), all.end(), "infected");
  EXPECT_LT(found, common);
  EXPECT_NE(common, all.end());
  passwords.prefer("infected");
  EXPECT_EQ(passwords.candidates().front(), "infected");
}

TEST(Passwords, texts_without_end_give_a_bounded_number) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "password" + std::to_string(i) + " \"q" + std::to_string(i) + "\" ";
  Passwords passwords({});
  passwords.add_from_text(text);
  passwords.add_from_text(text + "x");
  EXPECT_LE(passwords.candidates().size(), 120U);
  EXPECT_TRUE(find_passwords(std::string(100'000, 'x'), 100).empty());
}

}  // namespace
}  // namespace redoubt::scan
