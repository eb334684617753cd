// The two back ends mean the same: random expressions over random events, judged by a plain evaluator that shares no
// code with them, by the matcher and by DuckDB. What ClickHouse makes of them is compared where the store has it.
#include <gtest/gtest.h>
#include <algorithm>

#include "query/agreement_test_expressions.h"
#include "query/agreement_test_plain.h"
#include "query/match/matcher.h"
#include "query/sql/duckdb_test_table.h"

namespace redoubt::query::agreement {
namespace {

constexpr size_t kExpressions = 100;
constexpr size_t kBatches = 3;  // of one round

// Many rules in one matcher, which judges several batches.
struct Round {
  std::vector<event::Batch> batches;
  std::vector<Expression> raw;
  std::vector<Expression> normal;
};

Round random_round(Random& random) {
  Round round;
  for (size_t i = 0; i < kBatches; ++i) round.batches.push_back(random_events(random).batch());
  while (round.raw.size() < kExpressions) {
    std::vector<Expression> parts;
    for (size_t i = random.below(3); i > 0; --i) parts.push_back(random_source(random));
    parts.push_back(random_expression(random, 4));
    Expression expression = Expression::all_of(std::move(parts));
    auto normal = normalize(expression.clone());
    if (!normal) continue;  // a regular expression that random put together wrongly
    round.raw.push_back(std::move(expression));
    round.normal.push_back(*std::move(normal));
  }
  return round;
}

// By batch and expression.
using Found = std::vector<std::vector<Sequences>>;

Found by_matcher(const Round& round, match::LiteralScanner::Engine scanner) {
  auto matcher = match::Matcher::compile(round.normal, {.scanner = scanner});
  CHECK(matcher.has_value());
  Found found;
  for (const event::Batch& batch : round.batches) {
    std::vector<match::Hit> hits;
    matcher->match(batch, hits);
    EXPECT_TRUE(std::is_sorted(hits.begin(), hits.end()));
    auto& of_batch = found.emplace_back(round.normal.size());
    for (const match::Hit& hit : hits) EXPECT_TRUE(of_batch[hit.rule].insert(hit.row + 1).second);
  }
  return found;
}

Sequences by_duckdb(sql::DuckdbTestTable& table, const Expression& expression) {
  sql::Statement statement = sql::condition(expression, sql::Dialect::duckdb);
  statement.text = "SELECT event_sequence FROM events WHERE " + statement.text;
  const auto rows = table.query(statement);
  EXPECT_TRUE(rows) << rows.error().message;
  Sequences found;
  if (rows) {
    for (const auto& row : *rows) found.insert(std::stoll(row.front()));
  }
  return found;
}

std::string story_of(const Round& round, size_t expression) {
  return to_text(round.normal[expression]) + "\nfrom " + to_text(round.raw[expression]) + "\nin SQL " +
         sql::condition(round.normal[expression], sql::Dialect::duckdb).text;
}

// REDOUBT_PAIRS sets how many (expression, event) pairs are compared, REDOUBT_SEED repeats a run.
TEST(BackEnds, agree_on_random_expressions_and_events) {
  const uint64_t pairs = number_from_environment("REDOUBT_PAIRS", 100'000);
  Random random = seeded_random();
  sql::DuckdbTestTable table;
  for (uint64_t done = 0; done < pairs; done += kEvents * kExpressions) {
    const Round round = random_round(random);
    const event::Batch& batch = round.batches.front();
    table.clear();
    table.append(batch);
    for (size_t i = 0; i < kExpressions; ++i)
      ASSERT_EQ(by_duckdb(table, round.normal[i]), by_plain(batch, round.raw[i])) << story_of(round, i);
  }
}

// REDOUBT_MATCHER_PAIRS sets how many pairs.
TEST(Matcher, agrees_with_a_plain_evaluator_whatever_finds_its_literals) {
  using Engine = match::LiteralScanner::Engine;
  const uint64_t pairs = number_from_environment("REDOUBT_MATCHER_PAIRS", 1'000'000);
  Random random = seeded_random();
  size_t held = 0;
  for (uint64_t done = 0; done < pairs; done += kBatches * kEvents * kExpressions) {
    const Round round = random_round(random);
    const Found found = by_matcher(round, Engine::windows);
    for (size_t b = 0; b < kBatches; ++b) {
      for (size_t i = 0; i < kExpressions; ++i) {
        const Sequences plain = by_plain(round.batches[b], round.raw[i]);
        held += plain.size();
        ASSERT_EQ(found[b][i], plain) << story_of(round, i);
      }
    }
    // Every round costs Hyperscan the compilation of many small sets: some rounds will do.
    if (match::LiteralScanner::has(Engine::hyperscan) && random.one_in(4)) {
      ASSERT_EQ(by_matcher(round, Engine::hyperscan), found);
    }
  }
  // Neither all nor nothing: the comparison says something.
  EXPECT_GT(held, pairs / 20);
  EXPECT_LT(held, pairs - pairs / 20);
}

}  // namespace
}  // namespace redoubt::query::agreement
