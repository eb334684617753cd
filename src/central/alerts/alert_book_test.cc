// Grouping, idempotency, listing and changing of alerts over a real SQLite database.
#include "central/alerts/alert_book.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "central/state_schema.h"

namespace redoubt::central {
namespace {

constexpr int64_t kStartUs = 1'780'000'000'000'000;

NewDetection rule_hit(const std::string& key, const std::string& process = "p1", int64_t time_us = kStartUs) {
  return {.key = key,
          .rule = {.id = "r1", .title = "Reverse shell", .format = "sigma", .references = {"https://example.org"}},
          .importance = rules::Importance::high,
          .techniques = {"T1059.004"},
          .tactics = {"execution"},
          .time = {time_us},
          .host_id = "h1",
          .host_name = "web-1",
          .user = "root",
          .process = {.entity_id = process, .executable = "/usr/bin/bash", .command_line = "bash -i"},
          .event_json = R"({"event.type":"process"})"};
}

class AlertBookTest : public testing::Test {
 protected:
  void SetUp() override {
    auto state = store::open_sqlite_state(directory_ / "state.db", state_migrations());
    ASSERT_TRUE(state) << state.error().message;
    state_ = *std::move(state);
    book_ = std::make_unique<AlertBook>(*state_, feed_);
  }

  std::string add(const NewDetection& detection) {
    const auto id = book_->add(detection);
    EXPECT_TRUE(id) << id.error().message;
    return id.value_or("");
  }

  base::TempDir directory_;
  std::unique_ptr<store::StateDb> state_;
  AlertFeed feed_;
  std::unique_ptr<AlertBook> book_;
};

TEST_F(AlertBookTest, a_repeated_detection_changes_nothing) {
  const std::string id = add(rule_hit("r1|h1|b|1"));
  EXPECT_EQ(add(rule_hit("r1|h1|b|1")), id);
  EXPECT_EQ(book_->get(id)->detections, 1);
  EXPECT_EQ(book_->hits()->at("r1").count, 1);
  const std::vector<NewDetection> both = {rule_hit("r1|h1|b|1"), rule_hit("r1|h1|b|2")};
  EXPECT_EQ(book_->add_all(both).value(), 1u);
}

TEST_F(AlertBookTest, groups_by_rule_host_and_process_within_an_hour) {
  const std::string id = add(rule_hit("1"));
  EXPECT_EQ(add(rule_hit("2", "p1", kStartUs + kAlertGroupUs)), id);
  EXPECT_EQ(add(rule_hit("3", "p1", kStartUs - base::kMinuteUs)), id);
  EXPECT_NE(add(rule_hit("4", "p2")), id);
  EXPECT_NE(add(rule_hit("5", "p1", kStartUs + 3 * kAlertGroupUs)), id);
  const auto alert = book_->get(id);
  ASSERT_TRUE(alert);
  EXPECT_EQ(alert->detections, 3);
  EXPECT_EQ(alert->first_event.us, kStartUs - base::kMinuteUs);
  EXPECT_EQ(alert->last_event.us, kStartUs + kAlertGroupUs);
}

TEST_F(AlertBookTest, a_closed_alert_is_not_joined) {
  const std::string id = add(rule_hit("1"));
  ASSERT_TRUE(book_->change(id, {.status = AlertStatus::closed}, "ann"));
  EXPECT_NE(add(rule_hit("2")), id);
}

TEST_F(AlertBookTest, objects_group_by_their_hash) {
  NewDetection detection{.key = "o1|EICAR",
                         .source = AlertSource::object,
                         .rule = {.id = "yara:EICAR", .title = "EICAR", .format = "yara"},
                         .time = {kStartUs},
                         .user = "ann",
                         .object = {.id = "o1", .name = "a\xff.txt", .sha256 = "aa"}};
  const std::string id = add(detection);
  detection.key = "o2|EICAR";
  detection.object.id = "o2";
  EXPECT_EQ(add(detection), id);
  detection.key = "o3|EICAR";
  detection.object.sha256 = "bb";
  EXPECT_NE(add(detection), id);
  const auto json = nlohmann::json::parse(alert_json(*book_->get(id)));
  EXPECT_EQ(json["object"]["sha256"], "aa");
  EXPECT_FALSE(json.contains("process"));
}

TEST_F(AlertBookTest, lists_by_importance_and_pages_with_a_cursor) {
  for (int i = 0; i < 5; ++i) add(rule_hit("h" + std::to_string(i), "p" + std::to_string(i)));
  NewDetection critical = rule_hit("c", "pc");
  critical.importance = rules::Importance::critical;
  const std::string first = add(critical);
  std::vector<std::string> seen;
  std::string cursor;
  do {
    const auto page = book_->list({}, 4, cursor);
    ASSERT_TRUE(page) << page.error().message;
    EXPECT_EQ(page->total, 6);
    for (const Alert& alert : page->alerts) seen.push_back(std::to_string(alert.id));
    cursor = page->next_cursor;
  } while (!cursor.empty());
  ASSERT_EQ(seen.size(), 6u);
  EXPECT_EQ(seen[0], first);
  EXPECT_EQ(std::set(seen.begin(), seen.end()).size(), 6u);
}

TEST_F(AlertBookTest, filters) {
  const std::string id = add(rule_hit("1"));
  add(rule_hit("2", "p2"));
  ASSERT_TRUE(book_->change(id, {.status = AlertStatus::in_progress}, "ann"));
  EXPECT_EQ(book_->list({.statuses = {AlertStatus::in_progress}}, 10, "")->total, 1);
  EXPECT_EQ(book_->list({.statuses = {AlertStatus::in_progress, AlertStatus::fresh}}, 10, "")->total, 2);
  EXPECT_EQ(book_->list({.importances = {rules::Importance::low}}, 10, "")->total, 0);
  EXPECT_EQ(book_->list({.host_id = "h1"}, 10, "")->total, 2);
  EXPECT_EQ(book_->list({.host_id = "h' OR 1=1 --"}, 10, "")->total, 0);
}

TEST_F(AlertBookTest, people_work_on_an_alert) {
  const std::string id = add(rule_hit("1"));
  const auto changed =
      book_->change(id, {.status = AlertStatus::in_progress, .assignee = "ann", .comment = "mine"}, "ann");
  ASSERT_TRUE(changed);
  EXPECT_EQ(changed->status, AlertStatus::in_progress);
  EXPECT_EQ(changed->assignee, "ann");
  ASSERT_EQ(changed->comments.size(), 1u);
  EXPECT_EQ(changed->comments[0].text, "mine");
  ASSERT_EQ(book_->list({}, 10, "")->alerts[0].comments.size(), 1u);
}

TEST_F(AlertBookTest, unknown_ids_and_cursors_are_refused) {
  for (const char* id : {"7", "", "x", "1x", "-1", "99999999999999999999999"}) {
    EXPECT_EQ(book_->get(id).error().code, Errc::not_found) << id;
  }
  EXPECT_EQ(book_->change("7", {.comment = "x"}, "ann").error().code, Errc::not_found);
  for (const char* cursor : {"x", "1", "1.2", "1.2.3.4", "1.2.x"}) {
    EXPECT_EQ(book_->list({}, 10, cursor).error().code, Errc::invalid_argument) << cursor;
  }
  EXPECT_EQ(book_->list({}, 0, "").error().code, Errc::invalid_argument);
}

TEST_F(AlertBookTest, the_feed_hears_of_new_and_changed_alerts) {
  const auto subscription = feed_.subscribe();
  int wakes = 0;
  subscription->wake_with([&] { ++wakes; });
  const std::string id = add(rule_hit("1"));
  add(rule_hit("1"));  // repeated: nothing new
  ASSERT_TRUE(book_->change(id, {.comment = "x"}, "ann"));
  EXPECT_EQ(wakes, 2);
  const auto first = subscription->next(), second = subscription->next();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(nlohmann::json::parse(*first)["title"], "Reverse shell");
  EXPECT_EQ(nlohmann::json::parse(*second)["comments"].size(), 1u);
  EXPECT_FALSE(subscription->next());
}

TEST(AlertFeed, cuts_off_a_reader_that_falls_behind) {
  AlertFeed feed;
  const auto slow = feed.subscribe(), quick = feed.subscribe();
  for (size_t i = 0; i <= kFeedQueueMax; ++i) {
    feed.publish("{}");
    EXPECT_TRUE(quick->next());
  }
  EXPECT_FALSE(slow->live());
  EXPECT_TRUE(quick->live());
}

}  // namespace
}  // namespace redoubt::central
