#include "central/fleet/silence_watch.h"

#include <gtest/gtest.h>
#include <soci/soci.h>

#include "base/file.h"
#include "central/state_schema.h"

namespace redoubt::central {
namespace {

constexpr int64_t kSilentAfter = 10 * base::kMinuteUs;

class SilenceWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    state_ = store::open_sqlite_state(directory_ / "state.db", state_migrations()).value();
    fleet_ = std::make_unique<Fleet>(*state_);
    alerts_ = std::make_unique<AlertBook>(*state_, feed_);
    ASSERT_TRUE(state_->write([](soci::session& sql) {
      return Fleet::add(sql, {.id = "h", .name = "web-1", .certificate_fingerprint = "print"});
    }));
    contact();
    watch_ = std::make_unique<SilenceWatch>(*fleet_, *alerts_, kSilentAfter, base::Time::now());
  }
  void contact() {
    ASSERT_TRUE(fleet_->connected({.host_id = "h", .certificate_fingerprint = "print"}, {.host_name = "web-1"}));
  }
  static base::Time after(int64_t us) { return {base::Time::now().us + us}; }
  std::vector<Alert> alerts() { return alerts_->list({}, kAlertPageMax, "")->alerts; }

  base::TempDir directory_;
  std::unique_ptr<store::StateDb> state_;
  AlertFeed feed_;
  std::unique_ptr<Fleet> fleet_;
  std::unique_ptr<AlertBook> alerts_;
  std::unique_ptr<SilenceWatch> watch_;
};

TEST_F(SilenceWatchTest, tells_once_and_is_cleared_by_contact) {
  watch_->look(after(kSilentAfter / 2));
  EXPECT_TRUE(alerts().empty());
  watch_->look(after(kSilentAfter + base::kSecondUs));
  watch_->look(after(2 * kSilentAfter));
  ASSERT_EQ(alerts().size(), 1U);
  EXPECT_EQ(alerts()[0].title, "Host fell silent");
  EXPECT_EQ(alerts()[0].host_id, "h");
  EXPECT_EQ(alerts()[0].status, AlertStatus::fresh);
  EXPECT_FALSE(fleet_->get("h")->silent_alert.empty());

  contact();
  watch_->look(after(base::kSecondUs));
  ASSERT_EQ(alerts().size(), 1U);
  const auto closed = alerts_->get(std::to_string(alerts()[0].id));
  EXPECT_EQ(closed->status, AlertStatus::closed);
  ASSERT_EQ(closed->comments.size(), 1U);
  EXPECT_TRUE(fleet_->get("h")->silent_alert.empty());

  watch_->look(after(kSilentAfter + base::kMinuteUs));
  EXPECT_EQ(alerts().size(), 2U) << "another silence is another alert";
}

TEST_F(SilenceWatchTest, a_revoked_host_may_be_silent) {
  ASSERT_TRUE(fleet_->revoke("h"));
  watch_->look(after(2 * kSilentAfter));
  EXPECT_TRUE(alerts().empty());
}

TEST_F(SilenceWatchTest, the_nodes_own_absence_is_not_the_hosts) {
  const base::Time later = after(3 * kSilentAfter);
  SilenceWatch restarted(*fleet_, *alerts_, kSilentAfter, later);
  restarted.look({later.us + base::kMinuteUs});
  EXPECT_TRUE(alerts().empty());
  restarted.look({later.us + kSilentAfter + base::kMinuteUs});
  EXPECT_EQ(alerts().size(), 1U);
  // Nor does it clear what it has not heard.
  SilenceWatch again(*fleet_, *alerts_, kSilentAfter, {later.us + 4 * kSilentAfter});
  again.look({later.us + 4 * kSilentAfter + base::kSecondUs});
  EXPECT_EQ(alerts()[0].status, AlertStatus::fresh);
}

TEST_F(SilenceWatchTest, watches_nothing_where_it_is_switched_off) {
  SilenceWatch off(*fleet_, *alerts_, 0, base::Time::now());
  off.look(after(1000 * kSilentAfter));
  EXPECT_TRUE(alerts().empty());
}

}  // namespace
}  // namespace redoubt::central
