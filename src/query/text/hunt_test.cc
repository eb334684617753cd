// Golden tests of the hunting language: tests/golden/query/*.in holds one query a paragraph, the .out beside it what
// each is parsed to. REDOUBT_ACCEPT=1 writes the .out files.
#include <gtest/gtest.h>
#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "query/hunt.h"

namespace redoubt::query {
namespace {

constexpr size_t kGoldenSizeMax = size_t{1} << 20;
constexpr base::Time kNow{1'790'000'000'000'000};

bool accepts() { return std::getenv("REDOUBT_ACCEPT") != nullptr; }

std::string field_name(event::Field field) { return std::string(event::info(field).name); }

struct AggregatePrinter {
  std::string operator()(const std::monostate&) const { return ""; }
  std::string operator()(const CountBy& by) const {
    return "\n| count by " + field_name(by.field) + " top " + std::to_string(by.top);
  }
  std::string operator()(const CountPer& per) const { return "\n| count per " + std::to_string(per.width_us) + "us"; }
  std::string operator()(const Distinct& distinct) const { return "\n| distinct " + field_name(distinct.field); }
  std::string operator()(const Rare& rare) const {
    return "\n| rare " + field_name(rare.field) + " by " + field_name(rare.by);
  }
};

std::string describe(const Hunt& hunt) {
  std::string out = to_text(hunt.where);
  if (hunt.since) out += "\n| since " + base::format_time(*hunt.since);
  if (hunt.until) out += "\n| until " + base::format_time(*hunt.until);
  if (hunt.sort != event::Field::event_time || hunt.direction != Direction::descending) {
    out += "\n| sort " + field_name(hunt.sort) + (hunt.direction == Direction::ascending ? " asc" : " desc");
  }
  if (hunt.limit != Hunt().limit) out += "\n| limit " + std::to_string(hunt.limit);
  for (size_t i = 0; i < hunt.fields.size(); ++i) out += (i == 0 ? "\n| fields " : ", ") + field_name(hunt.fields[i]);
  return out + std::visit(AggregatePrinter{}, hunt.aggregate);
}

std::string judge(const std::string& source) {
  const auto hunt = parse_hunt(source, kNow);
  return hunt ? describe(*hunt) : hunt.error().render(source);
}

std::vector<std::string> paragraphs(std::string_view text) {
  std::vector<std::string> found;
  while (!text.empty()) {
    const size_t end = std::min(text.find("\n\n"), text.size());
    std::string one(text.substr(0, end));
    if (one.ends_with('\n')) one.pop_back();
    if (!one.empty()) found.push_back(std::move(one));
    text.remove_prefix(std::min(text.size(), end + 2));
  }
  return found;
}

TEST(HuntText, means_what_the_golden_files_say) {
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(REDOUBT_SOURCE_DIR "/tests/golden/query")) {
    if (entry.path().extension() != ".in") continue;
    ++files;
    const auto input = base::read_file(entry.path(), kGoldenSizeMax);
    ASSERT_TRUE(input);
    std::string output;
    for (const std::string& source : paragraphs(*input)) output += source + "\n--\n" + judge(source) + "\n\n";
    const std::string path = std::filesystem::path(entry.path()).replace_extension(".out");
    if (accepts()) {
      ASSERT_TRUE(base::write_file_atomic(path, output, base::kPublicFile));
    }
    EXPECT_EQ(output, base::read_file(path, kGoldenSizeMax).value_or("")) << path;
  }
  EXPECT_GT(files, 0U);
}

std::string code_of(std::string_view source) {
  const auto hunt = parse_hunt(source, kNow);
  return hunt ? "" : hunt.error().code;
}

std::string repeated(std::string_view text, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += text;
  return out;
}

TEST(HuntText, empty_text_finds_everything) {
  EXPECT_EQ(judge(""), "true");
  EXPECT_EQ(judge(" \n "), "true");
}

TEST(HuntText, limits_end_in_a_diagnostic) {
  EXPECT_EQ(code_of(std::string(kHuntTextMax + 1, ' ')), "Q101");
  EXPECT_EQ(code_of(repeated("(", 10'000) + "PID = 1" + repeated(")", 10'000)), "Q204");
  EXPECT_EQ(code_of(repeated("NOT ", 10'000) + "PID = 1"), "Q204");
  EXPECT_EQ(code_of(repeated("(", 50) + "PID = 1" + repeated(")", 50)), "");
  const std::string staircase = repeated("(PID = 1 AND (PID = 2 OR NOT ", 33) + "PID = 3" + repeated("))", 33);
  EXPECT_EQ(code_of(staircase), "");
  const std::string deep = repeated("(PID = 1 AND (PID = 2 OR NOT ", 45) + "PID = 3" + repeated("))", 45);
  EXPECT_EQ(code_of(deep), "Q204");
}

TEST(HuntText, text_that_is_not_utf8_is_refused) { EXPECT_EQ(code_of("FileName = \"\xff\""), "Q103"); }

TEST(HuntText, a_wide_query_is_no_deep_query) {
  std::string wide = "PID = 1";
  while (wide.size() + 20 < kHuntTextMax) wide += " OR PID != " + std::to_string(wide.size());
  EXPECT_EQ(code_of(wide), "");
}

TEST(Condition, is_a_query_that_says_something_without_pipes) {
  EXPECT_TRUE(parse_condition("UserName = \"root\" OR NOT FileName CONTAINS \"x\"", base::Time{}));
  EXPECT_EQ(parse_condition("UserName = \"root\" | limit 3", base::Time{}).error().code, "Q405");
  EXPECT_EQ(parse_condition("UserName = \"root\" | limit 3", base::Time{}).error().column, 21U);
  EXPECT_EQ(parse_condition("", base::Time{}).error().code, "Q406");
  EXPECT_EQ(parse_condition("  ", base::Time{}).error().code, "Q406");
  EXPECT_EQ(parse_condition("UserNam = 1", base::Time{}).error().code, "Q102");
}

}  // namespace
}  // namespace redoubt::query
