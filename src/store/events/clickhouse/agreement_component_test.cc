// ClickHouse's SQL means what the other back ends mean: random expressions over random events, compared with a plain
// evaluator.
#include <gtest/gtest.h>

#include "query/agreement_test_expressions.h"
#include "query/agreement_test_plain.h"
#include "query/sql/sql.h"
#include "store/events/clickhouse/test_clickhouse.h"
#include "store/events/event_store.h"

namespace redoubt::store {
namespace {

namespace agreement = query::agreement;

constexpr const char* kHost = "aK%";

// The store says which host and boot an event is of.
event::Frame frame_of(agreement::RandomEvents& made) {
  event::FrameBuilder builder{v1::Event()};
  for (const std::string& name : made.names) builder.attribute_name(name);
  for (v1::Event& event : *made.wire.mutable_events()) {
    event.set_host_id(kHost);
    event.set_host_boot_id("boot");
    builder.add(event);
  }
  return builder.finish("boot");
}

agreement::Sequences by_clickhouse(clickhouse::Server& server, const query::Expression& expression) {
  query::Hunt hunt;
  hunt.where = expression.clone();
  hunt.fields = {event::Field::event_sequence};
  hunt.limit = query::kHuntLimitMax;
  const std::string sql = query::sql::select(hunt, "events", query::sql::Dialect::clickhouse).text;
  const auto table = server.select({.sql = sql, .settings = {{"max_query_size", "10000000"}}});
  EXPECT_TRUE(table) << table.error().message << "\n" << sql;
  agreement::Sequences found;
  if (!table) return found;
  for (const auto& row : table->rows) found.insert(std::get<int64_t>(row.at(0)));
  return found;
}

// REDOUBT_CLICKHOUSE_PAIRS sets how many (expression, event) pairs are compared, REDOUBT_SEED repeats a run.
TEST(ClickHouseSql, agrees_with_a_plain_evaluator) {
  const auto servers = TestClickHouse::start_one();
  if (servers == nullptr) GTEST_SKIP() << "no ClickHouse server on this machine";
  const uint64_t pairs = agreement::number_from_environment("REDOUBT_CLICKHOUSE_PAIRS", 45'000);
  agreement::Random random = agreement::seeded_random();
  for (uint64_t done = 0; done < pairs;) {
    const base::TempDir directory;
    ClickHouseOptions options = servers->fresh_options(directory / "events");
    options.free_bytes_min = 0;
    const auto store = open_clickhouse_store(options);
    ASSERT_TRUE(store) << store.error().message;
    agreement::RandomEvents made = agreement::random_events(random);
    const event::Frame frame = frame_of(made);
    const event::Batch batch = made.batch();
    ASSERT_TRUE((*store)->append(kHost, frame, batch));
    ASSERT_TRUE((*store)->seal());
    const auto server = servers->connect("r1");
    for (size_t i = 0; i < 150; done += agreement::kEvents) {
      const query::Expression raw = agreement::random_expression(random, 3);
      const auto normal = query::normalize(raw.clone());
      if (!normal) continue;  // a regular expression that random put together wrongly
      ++i;
      ASSERT_EQ(by_clickhouse(*server, *normal), agreement::by_plain(batch, raw)) << query::to_text(*normal);
    }
  }
}

}  // namespace
}  // namespace redoubt::store
