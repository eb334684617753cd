// Enrolment, connection and revocation of hosts over a real SQLite database and a real CA.
#include "central/fleet/fleet.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "central/fleet/enrollment.h"
#include "central/state_schema.h"

namespace redoubt::central {
namespace {

class FleetTest : public testing::Test {
 protected:
  void SetUp() override {
    auto state = store::open_sqlite_state(directory_ / "state.db", state_migrations());
    ASSERT_TRUE(state) << state.error().message;
    state_ = *std::move(state);
    auto ca = link::make_ca("test");
    ASSERT_TRUE(ca) << ca.error().message;
    fleet_ = std::make_unique<Fleet>(*state_);
    enrollment_ = std::make_unique<Enrollment>(*state_, *std::move(ca));
    csr_ = link::make_request("web-1").value().request_pem;
  }

  std::string token(int64_t uses = 1) { return enrollment_->create_token({.uses = uses}, "admin").value().token; }
  Result<Enrolled> enroll(const std::string& token) {
    return enrollment_->enroll({.token = token, .csr = csr_, .host_name = "web-1"});
  }
  link::AgentIdentity identity(const Enrolled& enrolled) {
    return {.host_id = enrolled.host_id,
            .certificate_fingerprint = link::read_certificate(enrolled.certificate).value().fingerprint};
  }

  base::TempDir directory_;
  std::unique_ptr<store::StateDb> state_;
  std::unique_ptr<Fleet> fleet_;
  std::unique_ptr<Enrollment> enrollment_;
  std::string csr_;
};

TEST_F(FleetTest, a_token_enrols_one_host) {
  const std::string once = token();
  const auto enrolled = enroll(once);
  ASSERT_TRUE(enrolled) << enrolled.error().message;
  const auto certificate = link::read_certificate(enrolled->certificate);
  EXPECT_EQ(certificate->common_name, enrolled->host_id);
  EXPECT_EQ(enroll(once).error().code, Errc::unauthenticated);
  const auto hosts = fleet_->list();
  ASSERT_EQ(hosts->size(), 1u);
  EXPECT_EQ((*hosts)[0].name, "web-1");
  EXPECT_EQ((*hosts)[0].state, HostState::disconnected);
}

TEST_F(FleetTest, a_token_may_have_several_uses) {
  const std::string twice = token(2);
  EXPECT_TRUE(enroll(twice));
  EXPECT_TRUE(enroll(twice));
  EXPECT_FALSE(enroll(twice));
}

TEST_F(FleetTest, a_bad_request_costs_no_use) {
  const std::string once = token();
  EXPECT_EQ(enrollment_->enroll({.token = once, .csr = "not a request", .host_name = "web-1"}).error().code,
            Errc::invalid_argument);
  EXPECT_EQ(enrollment_->enroll({.token = once, .csr = csr_, .host_name = ""}).error().code, Errc::invalid_argument);
  EXPECT_TRUE(fleet_->list()->empty());
  EXPECT_TRUE(enroll(once));
}

TEST_F(FleetTest, unknown_tokens_and_odd_options_are_refused) {
  EXPECT_EQ(enroll("rde_00").error().code, Errc::unauthenticated);
  EXPECT_EQ(enrollment_->create_token({.valid_s = 1}, "admin").error().code, Errc::invalid_argument);
  EXPECT_EQ(enrollment_->create_token({.uses = 0}, "admin").error().code, Errc::invalid_argument);
}

TEST_F(FleetTest, shows_what_an_agent_says_while_it_is_connected) {
  const auto enrolled = enroll(token());
  ASSERT_TRUE(enrolled);
  const auto agent = identity(*enrolled);
  ASSERT_TRUE(fleet_->connected(agent, {.host_name = "db-7", .host_ip = "10.0.0.7", .tier = "tracepoint"}));
  const auto host = fleet_->get(enrolled->host_id);
  EXPECT_EQ(host->name, "db-7");
  EXPECT_EQ(host->state, HostState::connected);
  EXPECT_GT(host->last_contact.us, 0);
  fleet_->disconnected(agent);
  EXPECT_EQ(fleet_->get(enrolled->host_id)->state, HostState::disconnected);
  EXPECT_EQ(fleet_->get("nobody").error().code, Errc::not_found);
}

TEST_F(FleetTest, another_certificate_is_refused) {
  const auto enrolled = enroll(token());
  ASSERT_TRUE(enrolled);
  auto agent = identity(*enrolled);
  agent.certificate_fingerprint = std::string(64, '0');
  EXPECT_EQ(fleet_->connected(agent, {}).error().code, Errc::permission_denied);
}

TEST_F(FleetTest, a_revoked_host_is_refused_for_good) {
  const auto enrolled = enroll(token());
  ASSERT_TRUE(enrolled);
  const auto agent = identity(*enrolled);
  ASSERT_TRUE(fleet_->connected(agent, {}));
  ASSERT_TRUE(fleet_->revoke(enrolled->host_id));
  EXPECT_EQ(fleet_->check_connected(agent).error().code, Errc::permission_denied);
  EXPECT_EQ(fleet_->connected(agent, {}).error().code, Errc::permission_denied);
  EXPECT_EQ(fleet_->get(enrolled->host_id)->state, HostState::revoked);
  EXPECT_EQ(fleet_->revoke("nobody").error().code, Errc::not_found);
  Fleet restarted(*state_);
  EXPECT_EQ(restarted.connected(agent, {}).error().code, Errc::permission_denied);
}

TEST_F(FleetTest, a_renewed_certificate_replaces_the_one_before_once_it_is_used) {
  const auto enrolled = enroll(token());
  ASSERT_TRUE(enrolled);
  const auto before = identity(*enrolled);
  const auto renewed = enrollment_->renew(enrolled->host_id, link::make_request("web-1").value().request_pem);
  ASSERT_TRUE(renewed) << renewed.error().message;
  const auto after = identity({.host_id = enrolled->host_id, .certificate = *renewed});
  EXPECT_NE(after.certificate_fingerprint, before.certificate_fingerprint);
  EXPECT_TRUE(fleet_->connected(before, {})) << "the agent may have died before it kept the new one";
  EXPECT_TRUE(fleet_->connected(after, {}));
  EXPECT_EQ(fleet_->connected(before, {}).error().code, Errc::permission_denied);
  EXPECT_TRUE(fleet_->connected(after, {}));
  ASSERT_TRUE(fleet_->revoke(enrolled->host_id));
  EXPECT_FALSE(enrollment_->renew(enrolled->host_id, csr_));
  EXPECT_FALSE(enrollment_->renew("nobody", csr_));
}

TEST_F(FleetTest, keeps_the_latest_report) {
  const auto enrolled = enroll(token());
  ASSERT_TRUE(enrolled);
  EXPECT_EQ(fleet_->get(enrolled->host_id)->reported.us, 0);
  fleet_->reported(enrolled->host_id, {.policy_version = 3, .degradation = "hashing_off", .memory_rss = 4096});
  const auto host = fleet_->get(enrolled->host_id);
  EXPECT_EQ(host->report.policy_version, 3U);
  EXPECT_EQ(host->report.degradation, "hashing_off");
  EXPECT_EQ(host->memory_bytes, 4096);
  EXPECT_GT(host->reported.us, 0);
  EXPECT_GT(host->last_contact.us, 0);
}

TEST(EventRate, counts_the_last_minute) {
  EventRate rate;
  const base::Time now{1'000'000 * base::kSecondUs};
  rate.add(600, now);
  EXPECT_DOUBLE_EQ(rate.per_second(now), 10);
  EXPECT_DOUBLE_EQ(rate.per_second({now.us + 59 * base::kSecondUs}), 10);
  EXPECT_DOUBLE_EQ(rate.per_second({now.us + 60 * base::kSecondUs}), 0);
  rate.add(60, {now.us + 120 * base::kSecondUs});
  EXPECT_DOUBLE_EQ(rate.per_second({now.us + 120 * base::kSecondUs}), 1);
}

}  // namespace
}  // namespace redoubt::central
