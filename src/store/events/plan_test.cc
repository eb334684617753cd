#include "store/events/plan.h"

#include <gtest/gtest.h>

namespace redoubt::store {
namespace {

using event::Field;
using query::Expression;

query::Hunt parsed(std::string_view text) {
  auto hunt = query::parse_hunt(text, base::Time{});
  EXPECT_TRUE(hunt) << text;
  hunt->where = query::normalize(std::move(hunt->where)).value();
  return *std::move(hunt);
}

TEST(Plan, knows_the_fields_that_a_hunt_reads) {
  query::Hunt hunt = parsed("process.name = \"a\" AND NOT (file.path CONTAINS \"b\" OR user.id > 5)");
  hunt.fields = {Field::host_name};
  const event::FieldSet fields = fields_of(hunt);
  for (const Field field : {Field::process_name, Field::file_path, Field::user_id, Field::host_name, Field::event_time,
                            Field::event_sequence}) {
    EXPECT_TRUE(has_field(fields, field)) << event::info(field).name;
  }
  EXPECT_FALSE(has_field(fields, Field::process_pid));
  EXPECT_TRUE(has_field(fields_of(parsed("")), Field::process_pid));
  hunt.aggregate = query::Rare{.field = Field::process_hash_sha256, .by = Field::host_id};
  EXPECT_TRUE(has_field(fields_of(hunt), Field::process_hash_sha256));
  EXPECT_FALSE(has_field(fields_of(hunt), Field::host_name));
}

TEST(Plan, knows_what_cannot_match) {
  const auto only_the_name_holds = [](const query::Test& test) { return test.field == Field::process_name; };
  const auto may = [&](std::string_view text) { return may_match(parsed(text).where, only_the_name_holds); };
  EXPECT_TRUE(may(""));
  EXPECT_TRUE(may("process.name = \"a\""));
  EXPECT_FALSE(may("file.path = \"a\""));
  EXPECT_FALSE(may("process.name = \"a\" AND file.path = \"b\""));
  EXPECT_TRUE(may("process.name = \"a\" OR file.path = \"b\""));
  EXPECT_FALSE(may("process.name = \"a\" AND (file.path = \"b\" OR host.id = \"c\")"));
  EXPECT_TRUE(may("NOT file.path = \"b\""));
}

}  // namespace
}  // namespace redoubt::store
