// The grammar of conditions, and the set algebra over evt.type.
#include <gtest/gtest.h>

#include "rules/falco/filter.h"
#include "rules/falco/vocabulary.h"

namespace redoubt::rules::falco {
namespace {

std::string parsed_text(std::string_view text) {
  const ParsedFilter parsed = parse_filter(text);
  return parsed.mistake ? "mistake at " + std::to_string(parsed.mistake->offset) + ": " + parsed.mistake->message
                        : to_text(parsed.filter);
}

TEST(FalcoFilter, and_binds_stronger_than_or_and_not_than_and) {
  EXPECT_EQ(parsed_text("a or b and not c or d"), "(a or (b and not c) or d)");
  EXPECT_EQ(parsed_text("not(a or b)and(c)"), "(not (a or b) and c)");
  EXPECT_EQ(parsed_text("not(a or b) and(c)"), "(not (a or b) and c)");
  EXPECT_EQ(parsed_text("not not not a"), "not a");
  EXPECT_EQ(parsed_text("not not a"), "a");
}

TEST(FalcoFilter, reads_every_operator) {
  for (const std::string_view op : {"<", "<=", ">", ">=", "=", "!=", "contains", "icontains", "startswith", "endswith",
                                    "glob", "iglob", "regex", "bcontains", "bstartswith"}) {
    const std::string text = "fd.name " + std::string(op) + " x";
    EXPECT_EQ(parsed_text(text), text);
  }
  for (const std::string_view op : {"in", "intersects", "pmatch", "= oneof", "contains anyof", "startswith allof"}) {
    const std::string text = "fd.name " + std::string(op) + " (x, y)";
    EXPECT_EQ(parsed_text(text), text);
  }
  EXPECT_EQ(parsed_text("fd.name exists"), "fd.name exists");
  EXPECT_EQ(parsed_text("(fd.name exists)"), "fd.name exists");
  EXPECT_EQ(parsed_text("evt.num==0"), "evt.num = 0");
  EXPECT_EQ(parsed_text("proc.name = anyof"), "proc.name = anyof");
}

TEST(FalcoFilter, reads_arguments_quotes_and_transformers) {
  EXPECT_EQ(parsed_text("proc.aname[2]=bash"), "proc.aname[2] = bash");
  EXPECT_EQ(parsed_text("jevt.value[/a/b] = x"), "jevt.value[/a/b] = x");
  EXPECT_EQ(parsed_text("container.mount.dest['/proc*'] exists"), "container.mount.dest[/proc*] exists");
  EXPECT_EQ(parsed_text(R"(proc.args contains "a \"b\" \x41")"), R"(proc.args contains "a \"b\" A")");
  EXPECT_EQ(parsed_text("tolower(proc.name) = val(proc.pname)"), "tolower(proc.name) = proc.pname");
  EXPECT_EQ(parsed_text("join(\",\", (proc.name, proc.pname)) = x"), "join(\",\", (proc.name, proc.pname)) = x");
}

TEST(FalcoFilter, names_what_is_wrong_and_where) {
  EXPECT_EQ(parsed_text("proc.name = a proc.pname = b"), "mistake at 14: unexpected 'proc.pname'");
  EXPECT_EQ(parsed_text("proc.name is a"), "mistake at 10: expected an operator behind 'proc.name' instead of 'is'");
  EXPECT_EQ(parsed_text("proc.name in a"), "mistake at 13: operator in takes a list in parentheses instead of 'a'");
  EXPECT_EQ(parsed_text("proc.name = 'a"), "mistake at 12: quoted value is not closed");
  EXPECT_EQ(parsed_text(R"(proc.name = "a\'b")"), "mistake at 14: escape is not known");
  EXPECT_EQ(parsed_text(""), "mistake at 0: expected a field, a macro or '(' instead of end of the condition");
}

TEST(FalcoFilter, refuses_deep_nesting_instead_of_overflowing) {
  const std::string deep(100'000, '(');
  EXPECT_EQ(parsed_text(deep + "a"), "mistake at 100: condition is nested deeper than 100 levels");
  std::string calls;
  for (int i = 0; i < 100'000; ++i) calls += "tolower(";
  EXPECT_NE(parsed_text(calls).find("nested deeper than 100 levels"), std::string::npos);
}

TEST(FalcoEventTypes, follow_from_tests_of_evt_type) {
  const auto count = [](std::string_view text) { return event_types_of(parse_filter(text).filter).count(); };
  const size_t all = event_names().size();
  EXPECT_EQ(count("evt.type = open"), 1U);
  EXPECT_EQ(count("evt.type in (open, openat) and proc.name = a"), 2U);
  EXPECT_EQ(count("evt.type = open or evt.type = openat"), 2U);
  EXPECT_EQ(count("evt.type = open or proc.name = a"), all);
  EXPECT_EQ(count("not evt.type in (open, openat)"), all - 2);
  EXPECT_EQ(count("not (evt.type != open or proc.name = a)"), 1U);
  EXPECT_EQ(count("evt.type = open and evt.type = openat"), 0U);
}

}  // namespace
}  // namespace redoubt::rules::falco
