#include "rules/read_paths.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "query/hunt.h"

namespace redoubt::rules {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ReadPaths read_paths_of(std::string_view condition) {
  const auto parsed = query::parse_condition(condition, base::Time());
  EXPECT_TRUE(parsed) << condition;
  return parsed ? rules::read_paths_of(query::normalize(parsed->clone()).value()) : ReadPaths();
}

TEST(ReadPaths, are_those_that_a_condition_on_reads_names) {
  const ReadPaths paths = read_paths_of(
      R"(event.action = "read" and (file.path = "/etc/shadow" or file.directory = "/etc/pam.d" or file.path STARTS WITH "/root/.ssh/"))");
  EXPECT_THAT(paths.patterns, ElementsAre("/etc/pam.d/*", "/etc/shadow", "/root/.ssh/**"));
  EXPECT_FALSE(paths.elsewhere);
}

TEST(ReadPaths, are_the_narrowest_of_what_must_hold_together) {
  const ReadPaths paths = read_paths_of(
      R"(event.action = "read" and file.path STARTS WITH "/etc" and file.path = "/etc/shadow" and process.name = "cat")");
  EXPECT_THAT(paths.patterns, ElementsAre("/etc/shadow"));
  EXPECT_FALSE(paths.elsewhere);
}

TEST(ReadPaths, are_none_where_reads_are_not_asked_about) {
  for (const char* condition :
       {R"(file.path = "/etc/shadow")", R"(event.action = "write" and file.path = "/etc/shadow")",
        R"(not event.action = "read" and file.path = "/etc/shadow")"}) {
    const ReadPaths paths = read_paths_of(condition);
    EXPECT_THAT(paths.patterns, IsEmpty()) << condition;
    EXPECT_FALSE(paths.elsewhere) << condition;
  }
}

TEST(ReadPaths, leave_out_what_is_about_other_activity) {
  const ReadPaths paths = read_paths_of(
      R"((event.action = "read" and file.path = "/etc/shadow") or (event.action = "write" and file.path STARTS WITH "/etc/"))");
  EXPECT_THAT(paths.patterns, ElementsAre("/etc/shadow"));
  EXPECT_FALSE(paths.elsewhere);
}

TEST(ReadPaths, say_where_patterns_do_not_reach) {
  EXPECT_TRUE(read_paths_of(R"(event.action = "read" and file.name = "id_rsa")").elsewhere);
  EXPECT_TRUE(read_paths_of(R"(event.action = "read" and file.path CONTAINS "/.ssh/")").elsewhere);
  for (const std::string& path : {std::string("/etc/../shadow"), std::string("/etc//shadow"), std::string("shadow"),
                                  "/srv/" + std::string(59, 'x')}) {
    const ReadPaths paths = read_paths_of("event.action = \"read\" and file.path = \"" + path + "\"");
    EXPECT_TRUE(paths.elsewhere) << path;
    EXPECT_THAT(paths.patterns, IsEmpty()) << path;
  }
  const ReadPaths beginning = read_paths_of(R"(event.action = "read" and file.path STARTS WITH "/etc/pass")");
  EXPECT_THAT(beginning.patterns, ElementsAre("/etc/pass", "/etc/pass/**"));
  EXPECT_TRUE(beginning.elsewhere);
}

}  // namespace
}  // namespace redoubt::rules
