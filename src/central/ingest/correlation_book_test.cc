// Correlations over frames, through judging and the real state database; a crash is parts that are opened again, before
// or after a transaction.
#include "central/ingest/correlation_book.h"

#include <gtest/gtest.h>
#include <soci/soci.h>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "central/ingest/judge.h"
#include "central/state_schema.h"
#include "central/test_events.h"

namespace redoubt::central {
namespace {

constexpr std::string_view kRules = R"(
title: A program was run
id: 33333333-3333-4333-8444-000000000001
name: a_program
logsource: {product: linux, category: process_creation}
detection: {s: {Image: /usr/bin/curl}, condition: s}
---
title: A program was run often
id: 33333333-3333-4333-8444-000000000002
level: high
tags: [attack.execution]
correlation: {type: event_count, rules: a_program, group-by: User, timespan: 1m, condition: {gte: 5}}
)";

class CorrelationBookTest : public ::testing::Test {
 protected:
  void SetUp() override {
    rules_ = rules_of(kRules);
    open();
  }

  std::shared_ptr<const RuleSnapshot> rules_of(std::string_view text, const RuleDecisions& decisions = {}) {
    EXPECT_TRUE(base::write_file_atomic(rules_directory_ / "rules.yml", text, base::kPublicFile));
    auto rules = std::make_shared<rules::RuleSet>(rules::RuleSet::load(rules_directory_.path()).value());
    for (const rules::Refusal& refusal : rules->refusals()) ADD_FAILURE() << refusal.rendered;
    return RuleSnapshot::make(std::move(rules), decisions, {}, base::Time::now());
  }

  void open() {
    close();
    state_ = store::open_sqlite_state(directory_ / "state.db", state_migrations()).value();
    alerts_ = std::make_unique<AlertBook>(*state_, feed_);
    correlations_ = CorrelationBook::open(*state_, *alerts_, rules_, metrics_).value();
    judge_ = Judge::make(rules_, *correlations_, metrics_, 1).value();
  }
  void close() {
    judge_.reset();
    correlations_.reset();
    alerts_.reset();
    state_.reset();
  }

  // Numbers first … first + count - 1, a second apart.
  event::Frame runs(uint64_t first, uint64_t count, const std::string& user = "root", const std::string& host = "h1") {
    std::vector<v1::Event> events;
    for (uint64_t i = first; i < first + count; ++i) {
      v1::Event event = testing::process_event(i, static_cast<int>(i), 1, "/usr/bin/curl");
      event.set_event_time(kStartUs + static_cast<int64_t>(i) * base::kSecondUs);
      event.set_user_name(user);
      events.push_back(event);
    }
    return testing::frame_of(events, host);
  }
  Status judge(const event::Frame& frame, const std::string& host = "h1") {
    return judge_->judge(host, testing::batch_of(frame));
  }
  int64_t alerts() { return alerts_->list({}, 1, "")->total; }
  int64_t firings() { return alerts_->hits().value()["33333333-3333-4333-8444-000000000002"].count; }
  int64_t journal_rows() {
    long long rows = 0;
    EXPECT_TRUE(state_->read([&](soci::session& sql) -> Status {
      sql << "SELECT count(*) FROM correlation_journal", soci::into(rows);
      return {};
    }));
    return rows;
  }

  static constexpr int64_t kStartUs = 1'780'000'000'000'000;
  base::TempDir directory_, rules_directory_;
  base::Metrics metrics_;
  AlertFeed feed_;
  std::shared_ptr<const RuleSnapshot> rules_;
  std::unique_ptr<store::StateDb> state_;
  std::unique_ptr<AlertBook> alerts_;
  std::unique_ptr<CorrelationBook> correlations_;
  std::unique_ptr<Judge> judge_;
};

TEST_F(CorrelationBookTest, makes_one_alert_that_says_what_was_counted) {
  ASSERT_TRUE(judge(runs(1, 4)));
  EXPECT_EQ(alerts(), 0);  // the rule that is counted raises none
  ASSERT_TRUE(judge(runs(5, 1)));
  ASSERT_EQ(alerts(), 1);
  const Alert alert = alerts_->list({}, 1, "")->alerts[0];
  EXPECT_EQ(alert.title, "A program was run often");
  EXPECT_EQ(alert.host_name, "web-1");
  EXPECT_EQ(alert.first_event.us, kStartUs + base::kSecondUs);
  EXPECT_EQ(alert.last_event.us, kStartUs + 5 * base::kSecondUs);
  EXPECT_EQ(acting_entity(alert), testing::entity(5));
  const auto json = nlohmann::json::parse(alert_json(alert));
  EXPECT_EQ(json["source"], "correlation");
  EXPECT_EQ(json["correlation"]["group"]["User"], "root");
  EXPECT_EQ(json["correlation"]["count"], 5);
  EXPECT_EQ(json["correlation"]["timespan_s"], 60);
  EXPECT_EQ(json["correlation"]["events"][4]["sequence"], 5);
  EXPECT_EQ(json["process"]["executable"], "/usr/bin/curl");
  EXPECT_EQ(json["event"]["event.sequence"], 5);
}

TEST_F(CorrelationBookTest, firings_of_a_group_join_one_alert_whatever_the_host) {
  ASSERT_TRUE(judge(runs(1, 10)));
  ASSERT_TRUE(judge(runs(1, 5, "root", "h2"), "h2"));
  ASSERT_TRUE(judge(runs(11, 5, "ann")));
  EXPECT_EQ(firings(), 4);
  EXPECT_EQ(alerts(), 2);
}

TEST_F(CorrelationBookTest, counts_on_after_a_stop_at_any_point) {
  for (uint64_t i = 1; i <= 12; ++i) {
    ASSERT_TRUE(judge(runs(i, 1)));
    open();
    ASSERT_TRUE(judge(runs(i, 1)));  // it may not have been marked as judged
    EXPECT_EQ(firings(), static_cast<int64_t>(i / 5)) << i;
  }
  EXPECT_EQ(alerts(), 1);
}

TEST_F(CorrelationBookTest, what_was_not_stored_is_not_counted) {
  ASSERT_TRUE(judge(runs(1, 4)));
  ASSERT_TRUE(state_->write([](soci::session& sql) -> Status {
    sql << "ALTER TABLE correlation_journal RENAME TO away";
    return {};
  }));
  EXPECT_FALSE(judge(runs(5, 1)));
  EXPECT_FALSE(judge(runs(5, 1)));
  EXPECT_EQ(alerts(), 0);  // all or none
  ASSERT_TRUE(state_->write([](soci::session& sql) -> Status {
    sql << "ALTER TABLE away RENAME TO correlation_journal";
    return {};
  }));
  ASSERT_TRUE(judge(runs(5, 1)));
  EXPECT_EQ(firings(), 1);
  ASSERT_TRUE(judge(runs(5, 1)));
  EXPECT_EQ(firings(), 1);
}

TEST_F(CorrelationBookTest, batches_that_change_nothing_write_nothing) {
  ASSERT_TRUE(judge(runs(1, 2)));
  EXPECT_EQ(journal_rows(), 1);
  ASSERT_TRUE(judge(runs(1, 2)));
  const std::vector<v1::Event> other = {testing::process_event(3, 3, 1, "/usr/bin/wget")};
  ASSERT_TRUE(judge(testing::frame_of(other, "h1")));
  EXPECT_EQ(journal_rows(), 1);
  open();
  EXPECT_EQ(journal_rows(), 0);  // written into the state
}

TEST_F(CorrelationBookTest, a_long_journal_becomes_a_state) {
  // Names of 500 bytes: some 1 kB of journal each.
  for (uint64_t i = 0; i < 60; ++i) {
    std::vector<v1::Event> events;
    for (uint64_t j = 1; j <= 100; ++j) {
      v1::Event event = testing::process_event(i * 100 + j, 1, 0, "/usr/bin/curl");
      event.set_user_name(std::string(500, 'x') + std::to_string(i * 100 + j));
      events.push_back(event);
    }
    ASSERT_TRUE(judge(testing::frame_of(events, "h1")));
  }
  EXPECT_LT(journal_rows(), 60);
}

TEST_F(CorrelationBookTest, a_reload_keeps_what_did_not_change) {
  ASSERT_TRUE(judge(runs(1, 4)));
  auto next = rules_of(std::string(kRules) +
                       "---\ntitle: Another\nname: another\nlogsource: {product: linux, category: file_event}\n"
                       "detection: {s: {TargetFilename: /x}, condition: s}\n");
  judge_.reset();
  ASSERT_TRUE(correlations_->reload(next));
  rules_ = next;
  judge_ = Judge::make(rules_, *correlations_, metrics_, 1).value();
  ASSERT_TRUE(judge(runs(5, 1)));
  EXPECT_EQ(firings(), 1);
}

TEST_F(CorrelationBookTest, one_that_is_off_raises_nothing_and_importance_is_what_people_decided) {
  const std::string id = "33333333-3333-4333-8444-000000000002";
  RuleDecisions decisions;
  decisions[id].state = RuleSwitch::off;
  ASSERT_TRUE(judge_->replace(rules_of(kRules, decisions)));
  ASSERT_TRUE(judge(runs(1, 5)));
  EXPECT_EQ(alerts(), 0);
  decisions[id] = {.importance = rules::Importance::low};
  ASSERT_TRUE(judge_->replace(rules_of(kRules, decisions)));
  ASSERT_TRUE(judge(runs(6, 5)));
  ASSERT_EQ(alerts(), 1);
  EXPECT_EQ(alerts_->list({}, 1, "")->alerts.front().importance, rules::Importance::low);
}

TEST_F(CorrelationBookTest, a_batch_that_was_matched_before_a_reload_counts_by_the_ids_of_its_rules) {
  ASSERT_TRUE(judge(runs(1, 4)));
  const std::string first =
      "title: First\nlogsource: {product: linux, category: file_event}\n"
      "detection: {s: {TargetFilename: /x}, condition: s}\n---\n";
  const auto next = rules_of(first + std::string(kRules));
  ASSERT_TRUE(correlations_->reload(next));
  ASSERT_TRUE(judge(runs(5, 1)));  // by the rules of before
  EXPECT_EQ(firings(), 1);
  close();
}

TEST_F(CorrelationBookTest, a_state_that_cannot_be_read_starts_anew) {
  ASSERT_TRUE(judge(runs(1, 4)));
  ASSERT_TRUE(state_->write([](soci::session& sql) -> Status {
    sql << "UPDATE correlation_state SET state = 'xyz'";
    return {};
  }));
  open();
  ASSERT_TRUE(judge(runs(5, 4)));
  EXPECT_EQ(firings(), 0);
  ASSERT_TRUE(judge(runs(9, 1)));
  EXPECT_EQ(firings(), 1);
}

}  // namespace
}  // namespace redoubt::central
