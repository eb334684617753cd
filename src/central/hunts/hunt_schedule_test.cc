// Saved hunts over the embedded store; time is what the test says.
#include "central/hunts/hunt_schedule.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "central/state_schema.h"
#include "central/test_events.h"

namespace redoubt::central {
namespace {

constexpr int64_t kStartUs = 1'773'100'800 * base::kSecondUs;
constexpr base::Time kStart{kStartUs};

class HuntScheduleTest : public ::testing::Test {
 protected:
  void SetUp() override {
    store_ = store::open_embedded_store({.directory = directory_ / "events"}).value();
    hunts_ = std::make_unique<HuntService>(*store_, metrics_);
    open();
  }
  void open() {
    schedule_.reset();
    alerts_.reset();
    state_ = store::open_sqlite_state(directory_ / "state.db", state_migrations()).value();
    alerts_ = std::make_unique<AlertBook>(*state_, feed_);
    schedule_ =
        HuntSchedule::open({.state = *state_, .hunts = *hunts_, .alerts = *alerts_, .metrics = metrics_}).value();
  }
  // `count` runs of the program at that time, stored as one frame.
  void store(const std::string& path, base::Time time, int count = 1) {
    std::vector<v1::Event> events;
    for (int i = 0; i < count; ++i) {
      ++sequence_;
      events.push_back(testing::process_event(sequence_, static_cast<int>(sequence_), 0, path));
      events.back().set_event_time(time.us);
    }
    const event::Frame frame = testing::frame_of(events);
    ASSERT_TRUE(store_->append("host", frame, testing::batch_of(frame)));
  }
  int64_t save(int64_t interval_us = base::kHourUs, const std::string& query = "process.name = \"nc\"") {
    ScheduledHunt hunt;
    hunt.name = "netcat";
    hunt.query = query;
    hunt.importance = rules::Importance::high;
    hunt.interval_us = interval_us;
    hunt.window_us = interval_us + kHuntOverlapUsDefault;
    const auto saved = schedule_->save(hunt, "ana", kStart);
    EXPECT_TRUE(saved);
    return saved ? saved->id : 0;
  }
  int64_t detections(int64_t id) { return alerts_->hits().value()["hunt:" + std::to_string(id)].count; }

  base::TempDir directory_;
  base::Metrics metrics_;
  AlertFeed feed_;
  uint64_t sequence_ = 0;
  std::unique_ptr<store::EventStore> store_;
  std::unique_ptr<HuntService> hunts_;
  std::unique_ptr<store::StateDb> state_;
  std::unique_ptr<AlertBook> alerts_;
  std::unique_ptr<HuntSchedule> schedule_;
};

TEST_F(HuntScheduleTest, finds_each_event_once_though_windows_overlap) {
  store("/usr/bin/nc", {kStartUs - base::kMinuteUs});
  store("/usr/bin/curl", {kStartUs - base::kMinuteUs});
  const int64_t id = save();
  EXPECT_EQ(schedule_->run_due(kStart), 1U);
  EXPECT_EQ(detections(id), 1);
  EXPECT_EQ(schedule_->run_due(kStart), 0U) << "not due again before the interval is over";
  store("/usr/bin/nc", {kStartUs - 2 * base::kMinuteUs}, 1);  // late: before the end of the latest run
  EXPECT_EQ(schedule_->run_due({kStartUs + base::kHourUs}), 1U);
  EXPECT_EQ(detections(id), 2);
  const ScheduledHunt hunt = schedule_->get(id).value();
  EXPECT_EQ(hunt.last_found, 2);
  EXPECT_EQ(hunt.last_new, 1);
  EXPECT_EQ(hunt.detections, 2);
  EXPECT_EQ(hunt.next_run.us, kStartUs + 2 * base::kHourUs);
}

TEST_F(HuntScheduleTest, the_alert_says_what_a_rule_s_does) {
  store("/usr/bin/nc", {kStartUs - base::kMinuteUs});
  save();
  schedule_->run_due(kStart);
  const AlertPage page = alerts_->list({}, 10, "").value();
  ASSERT_EQ(page.alerts.size(), 1U);
  const Alert& alert = page.alerts.front();
  EXPECT_EQ(alert.source, AlertSource::hunt);
  EXPECT_EQ(alert.title, "netcat");
  EXPECT_EQ(alert.importance, rules::Importance::high);
  EXPECT_EQ(alert.host_id, "host");
  EXPECT_EQ(alert.subject, testing::entity(1));
  EXPECT_EQ(alert.first_event.us, kStartUs - base::kMinuteUs);
  EXPECT_NE(alert.event.find("\"process.executable\":\"/usr/bin/nc\""), std::string::npos) << alert.event;
  EXPECT_NE(alert.event.find("\"@timestamp\":\"2026-"), std::string::npos) << alert.event;
}

TEST_F(HuntScheduleTest, missed_runs_are_made_up_for_by_one_over_the_whole_stretch) {
  const int64_t id = save();
  schedule_->run_due(kStart);
  for (int hour = 0; hour < 30; ++hour) store("/usr/bin/nc", {kStartUs + hour * base::kHourUs});
  open();
  EXPECT_EQ(schedule_->run_due({kStartUs + base::kDayUs + 7 * base::kHourUs}), 1U);
  EXPECT_EQ(detections(id), 30);
  EXPECT_EQ(schedule_->get(id)->covered_until.us, kStartUs + base::kDayUs + 7 * base::kHourUs);
}

TEST_F(HuntScheduleTest, what_is_over_the_limit_is_counted_and_not_forgotten) {
  store("/usr/bin/nc", {kStartUs - base::kMinuteUs}, kHuntDetectionsMax + 50);
  const int64_t id = save();
  schedule_->run_due(kStart);
  ScheduledHunt hunt = schedule_->get(id).value();
  EXPECT_EQ(hunt.last_found, static_cast<int64_t>(kHuntDetectionsMax) + 50);
  EXPECT_EQ(hunt.last_new, static_cast<int64_t>(kHuntDetectionsMax));
  EXPECT_EQ(hunt.last_beyond, 50);
  // The next run overlaps it: those that were found do not count again.
  hunt = schedule_->run(id, {kStartUs + base::kMinuteUs}).value();
  EXPECT_EQ(hunt.last_new, 50);
  EXPECT_EQ(hunt.last_beyond, 0);
}

TEST_F(HuntScheduleTest, is_changed_switched_off_and_deleted) {
  const int64_t id = save();
  ASSERT_TRUE(schedule_->change(id, {.state = HuntSwitch::off}, kStart));
  EXPECT_EQ(schedule_->run_due(kStart), 0U);
  ASSERT_TRUE(schedule_->change(id, {.name = "other", .state = HuntSwitch::on}, kStart));
  open();
  EXPECT_EQ(schedule_->get(id)->name, "other");
  EXPECT_EQ(schedule_->run_due(kStart), 1U);
  ASSERT_TRUE(schedule_->remove(id));
  EXPECT_EQ(schedule_->run_due({kStartUs + base::kDayUs}), 0U);
  EXPECT_EQ(schedule_->run(id, kStart).error().code, Errc::not_found);
}

TEST_F(HuntScheduleTest, what_cannot_be_scheduled_is_refused) {
  const auto refused = [&](const std::string& query, int64_t interval_us, int64_t window_us) {
    ScheduledHunt hunt;
    hunt.name = "x";
    hunt.query = query;
    hunt.interval_us = interval_us;
    hunt.window_us = window_us;
    return !schedule_->save(hunt, "ana", kStart).has_value();
  };
  const int64_t hour = base::kHourUs;
  EXPECT_TRUE(refused("process.nam = \"x\"", hour, 2 * hour));
  EXPECT_TRUE(refused("user.id = 0 | count by process.name top 3", hour, 2 * hour));
  EXPECT_TRUE(refused("user.id = 0 | since 1d", hour, 2 * hour));
  EXPECT_TRUE(refused("user.id = 0", base::kSecondUs, 2 * hour));
  EXPECT_TRUE(refused("user.id = 0", hour, hour));
  EXPECT_TRUE(refused("user.id = 0", hour, 365 * base::kDayUs));
  EXPECT_FALSE(refused("user.id = 0 | limit 5", hour, 2 * hour));
}

}  // namespace
}  // namespace redoubt::central
