#include "query/sql/sql.h"

#include <gtest/gtest.h>

#include "query/sql/duckdb_test_table.h"
#include "redoubt/event.pb.h"

namespace redoubt::query::sql {
namespace {

using Rows = DuckdbTestTable::Rows;

// Sequence, hour, host, process name: twelve events over three hours on three hosts.
event::Batch fleet() {
  v1::EventBatch wire;
  wire.set_schema(1);
  for (int i = 0; i < 12; ++i) {
    v1::Event& event = *wire.add_events();
    event.set_event_type(v1::EVENT_TYPE_PROCESS);
    event.set_event_sequence(i + 1);
    event.set_event_time(base::kHourUs * (i / 4) + i);
    event.set_host_name("host-" + std::to_string(i % 3));
    if (i != 11) event.set_process_name(i == 5 ? "nc" : i % 2 == 0 ? "bash" : "ls");
  }
  auto batch = event::Batch::decode(wire.SerializeAsString());
  CHECK(batch.has_value());
  return *std::move(batch);
}

class SqlSelect : public ::testing::Test {
 protected:
  SqlSelect() { table_.append(fleet()); }

  Rows rows(std::string_view text, uint32_t offset = 0) {
    auto hunt = parse_hunt(text, base::Time{10 * base::kHourUs});
    CHECK(hunt.has_value());
    hunt->offset = offset;
    return run(select(*hunt, "events", Dialect::duckdb));
  }

  Rows run(const Statement& statement) {
    auto found = table_.query(statement);
    EXPECT_TRUE(found) << found.error().message;
    return found ? *found : Rows{};
  }

  DuckdbTestTable table_;
};

TEST_F(SqlSelect, shows_events_newest_first) {
  EXPECT_EQ(rows("process.name = \"BASH\" | fields event.sequence, host | limit 2"),
            (Rows{{"11", "host-1"}, {"9", "host-2"}}));
  EXPECT_EQ(rows("process.name = \"bash\" | fields event.sequence | limit 2", 2), (Rows{{"7"}, {"5"}}));
  EXPECT_EQ(rows("").size(), 12U);
  EXPECT_EQ(rows("").front().size(), event::kFieldCount);
}

TEST_F(SqlSelect, sorts_with_absent_values_last) {
  const Rows found = rows("| sort process.name | fields process.name");
  EXPECT_EQ(found.front(), std::vector<std::string>{"bash"});
  EXPECT_EQ(found.back(), std::vector<std::string>{"NULL"});
}

TEST_F(SqlSelect, bounds_take_since_and_leave_until_out) {
  EXPECT_EQ(rows("| since 1970-01-01T01:00:00.000004Z | until 1970-01-01T02:00:00.000008Z | fields event.sequence | "
                 "sort time asc"),
            (Rows{{"5"}, {"6"}, {"7"}, {"8"}}));
}

TEST_F(SqlSelect, figures) {
  EXPECT_EQ(rows("| count by process.name top 2"), (Rows{{"bash", "6"}, {"ls", "4"}}));
  EXPECT_EQ(rows("| distinct process.name"), (Rows{{"bash", "6"}, {"ls", "4"}, {"nc", "1"}}));
  EXPECT_EQ(rows("| rare process.name by host | limit 1"), (Rows{{"nc", "1", "1"}}));
  EXPECT_EQ(rows("| count per hour"), (Rows{{"0", "4"}, {"3600000000", "4"}, {"7200000000", "4"}}));
}

TEST_F(SqlSelect, histogram_has_its_own_limit) {
  const auto hunt = parse_hunt("process.name = \"bash\" | limit 1", base::Time{});
  EXPECT_EQ(run(histogram(*hunt, base::kHourUs, "events", Dialect::duckdb)),
            (Rows{{"0", "2"}, {"3600000000", "2"}, {"7200000000", "2"}}));
}

TEST_F(SqlSelect, source_may_be_a_select) {
  const auto hunt = parse_hunt("| count per day", base::Time{});
  EXPECT_EQ(run(select(*hunt, "(SELECT * FROM events UNION ALL SELECT * FROM events)", Dialect::duckdb)),
            (Rows{{"0", "24"}}));
}

TEST_F(SqlSelect, takes_long_lists) {
  std::string text = "process.name CONTAINS \"nc\"";
  for (int i = 0; i < 3000; ++i) text += ", \"x" + std::to_string(i) + "\"";
  EXPECT_EQ(rows(text + " | fields event.sequence"), (Rows{{"6"}}));
}

// DuckDB by itself makes LIKE '%nc' of "$nc".
TEST_F(SqlSelect, anchors_inside_a_regular_expression_stay_anchors) {
  EXPECT_TRUE(rows("process.name MATCHES \"$nc\"").empty());
  EXPECT_EQ(rows("process.name MATCHES \"^NC$\" | fields event.sequence"), (Rows{{"6"}}));
}

TEST_F(SqlSelect, absent_fields_are_false_below_a_negation) {
  EXPECT_EQ(rows("NOT process.name CONTAINS \"s\" | fields event.sequence"), (Rows{{"12"}, {"6"}}));
  EXPECT_EQ(rows("process.name !CONTAINS \"s\" | fields event.sequence"), (Rows{{"6"}}));
}

TEST(SqlCondition, values_are_parameters) {
  const auto hunt = parse_hunt("process.name = \"'; DROP TABLE events; --\" AND NOT PID = 1", base::Time{});
  const Statement statement = condition(hunt->where, Dialect::duckdb);
  EXPECT_EQ(statement.text, "((redoubt_fold(process_name) = ?) AND (NOT coalesce((process_pid = ?), FALSE)))");
  EXPECT_EQ(statement.parameters, (std::vector<Parameter>{"'; drop table events; --", int64_t{1}}));
}

TEST(SqlCondition, bare_columns_serve_storage_indexes) {
  const auto hunt = parse_hunt("EventType = \"process\" AND host.id = \"H\" AND source.ip = ::1", base::Time{});
  EXPECT_EQ(condition(hunt->where, Dialect::duckdb).text, "((event_type = ?) AND (host_id = ?) AND (source_ip = ?))");
}

}  // namespace
}  // namespace redoubt::query::sql
