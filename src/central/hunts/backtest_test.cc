// A rule over the embedded store: as many hits a day as the events say.
#include <gtest/gtest.h>

#include "base/file.h"
#include "central/hunts/hunt_service.h"
#include "central/test_events.h"
#include "rules/rule_set.h"

namespace redoubt::central {
namespace {

using Days = std::vector<std::pair<base::Time, int64_t>>;

constexpr std::string_view kRule = R"(
title: Curl by root
id: 11111111-2222-4333-8444-555555555555
logsource: { category: process_creation, product: linux }
detection:
  selection: { Image|endswith: /curl, User: root }
  condition: selection
level: high
)";
// 2026-03-10 00:00:00 UTC
constexpr int64_t kMidnightUs = 1'773'100'800 * base::kSecondUs;

class BacktestTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto store = store::open_embedded_store({.directory = directory_.path()});
    ASSERT_TRUE(store) << store.error().message;
    store_ = *std::move(store);
  }

  void exec(const std::string& path, int64_t time_us) {
    const int number = static_cast<int>(events_.size()) + 1;
    v1::Event event = testing::process_event(events_.size() + 1, number, 0, path);
    event.set_event_time(time_us);
    events_.push_back(event);
  }
  void store() {
    const event::Frame frame = testing::frame_of(events_);
    ASSERT_TRUE(store_->append("host", frame, testing::batch_of(frame)));
  }
  Result<Backtest> run(base::Time since, base::Time until, uint32_t events_max = 100) {
    const rules::RuleText read = rules::read_text(kRule);
    EXPECT_TRUE(read.refusals.empty());
    HuntService hunts(*store_, metrics_);
    return hunts.backtest(read.rules.at(0).expression, {.since = since, .until = until}, events_max);
  }

  base::TempDir directory_;
  base::Metrics metrics_;
  std::unique_ptr<store::EventStore> store_;
  std::vector<v1::Event> events_;
};

TEST_F(BacktestTest, counts_each_day_exactly) {
  const int64_t day = base::kDayUs;
  exec("/usr/bin/curl", kMidnightUs - 1);  // the day before, to its last microsecond
  exec("/usr/bin/curl", kMidnightUs);      // the day from its first one on
  exec("/usr/bin/wget", kMidnightUs + 1);  // another program
  exec("/usr/bin/curl", kMidnightUs + day - 1);
  for (int i = 0; i < 5; ++i) exec("/usr/bin/curl", kMidnightUs + 3 * day + i);
  exec("/usr/bin/curl", kMidnightUs + 4 * day);  // `until` itself
  events_.push_back(events_[1]);                 // by another user
  events_.back().set_event_sequence(static_cast<int64_t>(events_.size()));
  events_.back().set_user_name("www-data");
  store();
  const auto found = run({kMidnightUs - day}, {kMidnightUs + 4 * day}, 3);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->days, (Days{{{kMidnightUs - day}, 1}, {{kMidnightUs}, 2}, {{kMidnightUs + 3 * day}, 5}}));
  EXPECT_EQ(found->hits, 8);
  EXPECT_EQ(found->events.rows.size(), 3u);
  EXPECT_FALSE(found->partial);
}

TEST_F(BacktestTest, what_is_sealed_and_what_is_not_count_alike) {
  exec("/usr/bin/curl", kMidnightUs);
  store();
  ASSERT_TRUE(store_->seal());
  exec("/usr/bin/curl", kMidnightUs + 1);
  store();
  const auto found = run({kMidnightUs}, {kMidnightUs + base::kDayUs});
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->days, (Days{{{kMidnightUs}, 2}}));
  EXPECT_EQ(found->events.rows.size(), 2u);
}

TEST_F(BacktestTest, nothing_found_is_no_error) {
  exec("/usr/bin/wget", kMidnightUs);
  store();
  const auto found = run({kMidnightUs}, {kMidnightUs + base::kDayUs});
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->hits, 0);
  EXPECT_TRUE(found->days.empty());
  EXPECT_TRUE(found->events.rows.empty());
}

TEST_F(BacktestTest, a_correlation_counts_what_its_rules_match) {
  std::string text(kRule);
  text.insert(text.find("logsource"), "name: curl_by_root\n");
  text +=
      "---\ntitle: Often\ncorrelation: {type: event_count, rules: curl_by_root, group-by: User, timespan: 1m, "
      "condition: {gte: 3}}\n";
  for (int day = 0; day < 2; ++day) {
    for (int i = 0; i < 7; ++i) exec("/usr/bin/curl", kMidnightUs + day * base::kDayUs + i * base::kSecondUs);
  }
  exec("/usr/bin/curl", kMidnightUs + 3 * base::kDayUs);  // alone
  exec("/usr/bin/wget", kMidnightUs + 3 * base::kDayUs);
  store();
  rules::RuleText read = rules::read_text(text);
  for (const rules::Refusal& refusal : read.refusals) ADD_FAILURE() << refusal.rendered;
  const auto set = rules::RuleSet::of(std::move(read.rules), std::move(read.correlations));
  ASSERT_TRUE(set) << set.error().message;
  HuntService hunts(*store_, metrics_);
  const auto found = hunts.backtest(*set, 0, {.since = {kMidnightUs}, .until = {kMidnightUs + 5 * base::kDayUs}}, 3);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->days, (Days{{{kMidnightUs}, 2}, {{kMidnightUs + base::kDayUs}, 2}}));
  EXPECT_EQ(found->hits, 4);
  ASSERT_EQ(found->events.rows.size(), 3u);
  EXPECT_EQ(found->events.rows[0], (std::vector<store::Cell>{kMidnightUs + base::kDayUs + 5 * base::kSecondUs,
                                                             std::string("root"), int64_t{3}}));
  EXPECT_FALSE(found->partial);
}

}  // namespace
}  // namespace redoubt::central
