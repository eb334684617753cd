// Outlines of hunting text: what is printed again means what was written.
#include "query/outline.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "base/file.h"
#include "query/hunt.h"

namespace redoubt::query {
namespace {

constexpr base::Time kNow{1'790'000'000'000'000};

// What is right of the golden tests of the language and of the corpus that its parser is fuzzed with.
std::vector<std::string> right_queries() {
  constexpr size_t kSizeMax = size_t{1} << 20;
  std::vector<std::string> found;
  for (const char* directory : {"/tests/golden/query", "/fuzz/corpus/query_parse"}) {
    for (const auto& entry : std::filesystem::directory_iterator(std::string(REDOUBT_SOURCE_DIR) + directory)) {
      if (entry.path().extension() == ".out") continue;
      const std::string text = base::read_file(entry.path(), kSizeMax).value();
      for (size_t at = 0; at < text.size();) {
        const size_t end = std::min(text.find("\n\n", at), text.size());
        if (parse_hunt(text.substr(at, end - at), kNow)) found.push_back(text.substr(at, end - at));
        at = end + 2;
      }
    }
  }
  return found;
}

std::string printed(std::string_view source) {
  auto outline = outline_of(source);
  if (!outline) return "no outline: " + outline.error().message;
  const auto text = print(*outline);
  return text ? *text : "not printed: " + text.error().message;
}

std::string meaning(const std::string& source) {
  const auto hunt = parse_hunt(source, kNow);
  if (!hunt) return hunt.error().render(source);
  std::string out = to_text(hunt->where);
  for (const event::Field field : hunt->fields) out += ' ' + std::string(event::info(field).name);
  if (hunt->since) out += " since " + base::format_time(*hunt->since);
  if (hunt->until) out += " until " + base::format_time(*hunt->until);
  return out + ' ' + std::to_string(hunt->limit) + ' ' + std::to_string(hunt->aggregate.index());
}

TEST(Outline, what_is_printed_means_what_was_written) {
  const auto queries = right_queries();
  EXPECT_GT(queries.size(), 100U);
  for (const std::string& query : queries) {
    const std::string text = printed(query);
    EXPECT_EQ(meaning(text), meaning(query)) << query << "\n" << text;
    EXPECT_EQ(printed(text), text);
    EXPECT_EQ(outline_of(text)->pipes, outline_of(query)->pipes);
  }
}

TEST(Outline, keeps_names_times_and_the_form_of_values) {
  for (const std::string same : {
           R"(FileName = "*worm*" AND NOT (UserName = "root" OR PID < 0x1F) | since 24h | count by user.name top 3)",
           R"(process.command_line ALL NOT CONTAINS ("a*", "\"b\"") | sort time asc | limit 5)",
           R"(Timestamp > now-30d OR process.pid = process.parent.pid)",
           R"(process.command_line MATCHES "\s-e\b\"x\"" AND file.path LIKE "C:\\\\*\\a\*\?")",
           R"(SHA256 NOT EXISTS AND source.ip CIDR 10.0.0.0/8 AND user.name != "a\x01\n")",
           R"(RemotePort IN (4444) AND attributes.Some-Name ANY = ("x", 7))",
           "| since 1h",
       }) {
    EXPECT_EQ(printed(same), same);
  }
  EXPECT_EQ(printed("((PID == 1)) and not not (PID <> 2)  |  limit   7"), "PID = 1 AND PID != 2 | limit   7");
  EXPECT_EQ(printed(""), "");
}

TEST(Outline, what_it_cannot_show_stays_text) {
  std::string deep = "PID = 0";
  for (int i = 1; i < 30; ++i) deep = "PID = " + std::to_string(i) + (i % 2 == 0 ? " AND (" : " OR (") + deep + ")";
  EXPECT_EQ(meaning(printed(deep)), meaning(deep));
  std::string wide = "PID = 0";
  for (size_t i = 1; i <= kOutlineNodesMax; ++i) wide += " OR PID = " + std::to_string(i);
  EXPECT_EQ(outline_of(wide)->where.kind, OutlineKind::text);
  EXPECT_EQ(printed(wide), wide);
  std::string many = "PID IN (0";
  for (size_t i = 1; i <= kOutlineValuesMax; ++i) many += ", " + std::to_string(i);
  EXPECT_EQ(outline_of(many + ") AND PID > 1")->where.children[0].kind, OutlineKind::text);
  const auto broken = outline_of(R"(file.path = "C:\Windows" AND PID = 1)");
  ASSERT_TRUE(broken);
  EXPECT_EQ(broken->where.children[0].text, R"(file.path = "C:\Windows")");
  EXPECT_EQ(printed("(" + deep + ") | limit 3").substr(0, 10), "PID = 29 O");
}

OutlineNode test_of(std::string field, std::string op, std::vector<OutlineValue> values) {
  return {.kind = OutlineKind::test, .field = std::move(field), .op = std::move(op), .values = std::move(values)};
}

TEST(Outline, any_value_is_read_back_as_it_was) {
  std::mt19937 random(7);  // NOLINT(cert-msc32-c,cert-msc51-cpp): repeatable
  const std::vector<std::string> pieces = {"\"", "'", "\\", "*", "?", "\n", "\t",    "\x01",
                                           "|",  " ", "(",  ")", "a", "é",  "\\x41", "\\d"};
  const auto piece = [&] { return pieces[random() % pieces.size()]; };
  for (int i = 0; i < 500; ++i) {
    std::string value;
    for (size_t size = random() % 8; size > 0; --size) value += piece();
    for (const char* op : {"=", "CONTAINS"}) {
      Outline outline{.where = test_of("user.name", op, {{OutlineValueKind::text, value}})};
      const auto text = print(outline);
      ASSERT_TRUE(text);
      const auto again = outline_of(*text);
      ASSERT_TRUE(again) << *text;
      ASSERT_EQ(again->where.values, outline.where.values) << *text;
    }
    for (const auto& [op, kind] : {std::pair{"=", OutlineValueKind::pattern}, {"MATCHES", OutlineValueKind::regex}}) {
      Outline outline{.where = test_of("user.name", op, {{kind, value}})};
      const auto text = print(outline);
      if (!text) continue;
      auto again = outline_of(*text);
      ASSERT_TRUE(again) << *text;
      ASSERT_EQ(again->where.kind, OutlineKind::test) << *text;
      const std::string reprinted = print(*again).value();
      if (parse_hunt(*text, kNow)) {
        ASSERT_EQ(meaning(reprinted), meaning(*text));
      }
      ASSERT_EQ(printed(reprinted), reprinted);
    }
  }
}

TEST(Outline, nothing_is_another_part_of_the_text_than_it_says) {
  const auto refused = [](OutlineNode node, std::vector<std::string> pipes = {}) {
    Outline outline{.where = std::move(node), .pipes = std::move(pipes)};
    return !print(outline);
  };
  const OutlineValue one{OutlineValueKind::word, "1"};
  EXPECT_FALSE(refused(test_of("PID", "=", {one}), {"since 1h"}));
  for (const char* field : {"", "PID = 1 OR x", "NOT", "(PID", "PID\n", "!PID", "a,b", "\"PID\""}) {
    EXPECT_TRUE(refused(test_of(field, "=", {one}))) << field;
  }
  for (const char* op : {"", "==", "= 1 OR PID =", "WITHIN"}) EXPECT_TRUE(refused(test_of("PID", op, {one}))) << op;
  for (const char* word : {"", "1 OR PID = 2", "1, 2", "1)", "AND", "1 | limit 1", "\"x\"", " 1", "now - 1h"}) {
    EXPECT_TRUE(refused(test_of("PID", "=", {{OutlineValueKind::word, word}}))) << word;
  }
  EXPECT_TRUE(refused(test_of("PID", "=", {})));
  EXPECT_TRUE(refused(test_of("PID", "EXISTS", {one})));
  EXPECT_TRUE(refused(test_of("user.name", "CONTAINS", {{OutlineValueKind::pattern, "a*"}})));
  EXPECT_TRUE(refused(test_of("user.name", "MATCHES", {{OutlineValueKind::regex, "a\\"}})));
  for (const char* text : {"", "PID = 1)", "(PID = 1", "PID = 1 | limit 1", "PID = 1) OR (PID = 2", "\"open"}) {
    EXPECT_TRUE(refused({.kind = OutlineKind::text, .text = text})) << text;
  }
  for (const char* pipe : {"", "|", "since 1h | limit 1", "limit \"1"}) {
    EXPECT_TRUE(refused(test_of("PID", "=", {one}), {pipe})) << pipe;
  }
  OutlineNode deep = test_of("PID", "=", {one});
  for (int i = 0; i < kOutlineLevelsMax; ++i) deep = {.kind = OutlineKind::any, .children = {deep, deep}};
  EXPECT_TRUE(refused(deep));
}

TEST(Outline, empty_groups_are_left_out) {
  OutlineNode group{.kind = OutlineKind::all};
  group.children = {{.kind = OutlineKind::any, .negated = true},
                    {.kind = OutlineKind::any, .children = {test_of("PID", "=", {{OutlineValueKind::word, "1"}})}}};
  Outline outline{.where = group, .pipes = {"limit 1"}};
  EXPECT_EQ(print(outline).value(), "PID = 1 | limit 1");
  Outline nothing{.where = {.kind = OutlineKind::any}};
  EXPECT_EQ(print(nothing).value(), "");
}

TEST(Outline, a_mistake_is_found_in_its_condition) {
  const std::string text = "user.name = \"ä\" AND (PID = 1 OR\n NOT FileNam = \"x\") | limit 5";
  const auto hunt = parse_hunt(text, kNow);
  ASSERT_FALSE(hunt);
  auto outline = outline_of(text);
  ASSERT_TRUE(outline);
  EXPECT_EQ(path_to(*outline, text, hunt.error()), (std::vector<size_t>{1, 1}));
  const std::string again = print(*outline).value();
  EXPECT_EQ(path_to(*outline, again, parse_hunt(again, kNow).error()), (std::vector<size_t>{1, 1}));
  const std::string pipe = "PID = 1 | limt 5";
  EXPECT_EQ(path_to(*outline_of(pipe), pipe, parse_hunt(pipe, kNow).error()), std::nullopt);
}

TEST(Outline, operators_come_from_the_table_of_the_language) {
  using Names = std::vector<std::string_view>;
  EXPECT_EQ(operators_of(event::Field::source_ip), (Names{"=", "!=", "CIDR", "IN", "EXISTS"}));
  EXPECT_EQ(operators_of(event::Field::event_type), (Names{"=", "!=", "IN", "EXISTS"}));
}

}  // namespace
}  // namespace redoubt::query
