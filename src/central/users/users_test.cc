// Accounts, passwords, sessions, throttle and roles over a real SQLite database.
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/hash.h"
#include "central/state_schema.h"
#include "central/users/accounts.h"
#include "central/users/audit_log.h"
#include "central/users/login_throttle.h"
#include "central/users/password.h"
#include "central/users/sessions.h"

namespace redoubt::central {
namespace {

class UsersTest : public testing::Test {
 protected:
  void SetUp() override {
    auto state = store::open_sqlite_state(directory_ / "state.db", state_migrations());
    ASSERT_TRUE(state) << state.error().message;
    state_ = *std::move(state);
  }

  base::TempDir directory_;
  std::unique_ptr<store::StateDb> state_;
};

TEST(Password, is_kept_as_argon2id) {
  const auto hash = hash_password("correct horse battery");
  ASSERT_TRUE(hash);
  EXPECT_TRUE(hash->starts_with("$argon2id$v=19$m=19456,t=2,p=1$")) << *hash;
  EXPECT_TRUE(password_matches(*hash, "correct horse battery"));
  EXPECT_FALSE(password_matches(*hash, "correct horse batterz"));
  EXPECT_FALSE(password_matches("not a hash", "correct horse battery"));
  EXPECT_NE(*hash, hash_password("correct horse battery").value());  // salted
}

TEST(Password, short_and_huge_ones_are_refused) {
  EXPECT_EQ(hash_password("short").error().code, Errc::invalid_argument);
  EXPECT_EQ(hash_password(std::string(2000, 'a')).error().code, Errc::invalid_argument);
}

TEST(Password, random_ones_differ) {
  EXPECT_EQ(random_password().size(), 24u);
  EXPECT_NE(random_password(), random_password());
}

using AccountsTest = UsersTest;

TEST_F(AccountsTest, logs_in_with_the_right_password_only) {
  Accounts accounts(*state_);
  ASSERT_TRUE(accounts.create({.name = "ann", .role = Role::officer}, "a long password"));
  const auto ann = accounts.verify("ann", "a long password");
  ASSERT_TRUE(ann);
  EXPECT_EQ(ann->role, Role::officer);
  EXPECT_EQ(accounts.verify("ann", "another password").error().code, Errc::unauthenticated);
  EXPECT_EQ(accounts.verify("bob", "a long password").error().message,
            accounts.verify("ann", "another password").error().message);
  EXPECT_EQ(accounts.create({.name = "ann"}, "a long password").error().code, Errc::already_exists);
  EXPECT_EQ(accounts.create({.name = "a\nb"}, "a long password").error().code, Errc::invalid_argument);
}

TEST_F(AccountsTest, changes_a_password) {
  Accounts accounts(*state_);
  ASSERT_TRUE(accounts.create({.name = "ann"}, "a long password"));
  ASSERT_TRUE(accounts.set_password("ann", "quite another one"));
  EXPECT_FALSE(accounts.verify("ann", "a long password"));
  EXPECT_TRUE(accounts.verify("ann", "quite another one"));
  EXPECT_EQ(accounts.set_password("bob", "quite another one").error().code, Errc::not_found);
}

TEST_F(AccountsTest, a_new_password_is_another_credential) {
  Accounts accounts(*state_);
  ASSERT_TRUE(accounts.create({.name = "ann"}, "a long password"));
  const std::string before = accounts.verify("ann", "a long password")->credential;
  EXPECT_FALSE(before.empty());
  EXPECT_EQ(accounts.find("ann")->credential, before);
  ASSERT_TRUE(accounts.set_password("ann", "a long password"));
  EXPECT_NE(accounts.find("ann")->credential, before);
}

TEST_F(AccountsTest, tokens_are_found_by_their_secret_until_removed) {
  Accounts accounts(*state_);
  ASSERT_TRUE(accounts.create({.name = "ann", .role = Role::auditor}, "a long password"));
  const auto made = accounts.create_token("ann", "export");
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->secret.starts_with("rdt_"));
  EXPECT_EQ(accounts.find_by_token(made->secret)->name, "ann");
  EXPECT_EQ(accounts.find_by_token("rdt_00").error().code, Errc::unauthenticated);
  ASSERT_EQ(accounts.tokens("ann")->size(), 1u);
  EXPECT_EQ(accounts.remove_token("bob", made->token.id).error().code, Errc::not_found);
  ASSERT_TRUE(accounts.remove_token("ann", made->token.id));
  EXPECT_FALSE(accounts.find_by_token(made->secret));
}

TEST_F(AccountsTest, secrets_are_not_in_the_database) {
  Accounts accounts(*state_);
  ASSERT_TRUE(accounts.create({.name = "ann"}, "a long password"));
  const auto made = accounts.create_token("ann", "export");
  ASSERT_TRUE(made);
  for (const char* name : {"state.db", "state.db-wal"}) {
    const auto bytes = base::read_file(directory_ / name, size_t{64} << 20);
    if (!bytes) continue;
    EXPECT_EQ(bytes->find("a long password"), std::string::npos);
    EXPECT_EQ(bytes->find(made->secret), std::string::npos);
  }
}

TEST_F(UsersTest, audit_log_shows_the_newest_first) {
  AuditLog log(*state_);
  log.record({.user = "ann", .via = "session", .address = "127.0.0.1"}, "login", "ann", "ok");
  log.record({.user = std::string(10'000, 'x')}, "login", "x", "refused");
  const auto rows = log.newest(10);
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ((*rows)[1].actor.user, "ann");
  EXPECT_LE((*rows)[0].actor.user.size(), 256u);
}

TEST(Sessions, end_by_idleness_and_by_age) {
  Sessions sessions;
  const base::Time start{1'000'000'000};
  const Session idle = sessions.begin("ann", "credential", start);
  EXPECT_TRUE(sessions.find(idle.id, {start.us + kSessionIdleUs - 1}));
  EXPECT_TRUE(sessions.find(idle.id, {start.us + 2 * kSessionIdleUs - 2}));  // used in between
  EXPECT_FALSE(sessions.find(idle.id, {start.us + 3 * kSessionIdleUs}));
  const Session busy = sessions.begin("ann", "credential", start);
  for (int64_t at = 0; at < kSessionLifeUs; at += kSessionIdleUs / 2) {
    ASSERT_TRUE(sessions.find(busy.id, {start.us + at}));
  }
  EXPECT_FALSE(sessions.find(busy.id, {start.us + kSessionLifeUs}));
}

TEST(Sessions, end_when_told) {
  Sessions sessions;
  const base::Time now = base::Time::now();
  const Session session = sessions.begin("ann", "credential", now);
  EXPECT_EQ(sessions.find(session.id, now)->user, "ann");
  EXPECT_NE(session.csrf, session.id);
  EXPECT_FALSE(sessions.find("", now));
  sessions.end(session.id);
  EXPECT_FALSE(sessions.find(session.id, now));
  EXPECT_FALSE(sessions.live(session.id, now));
}

TEST(LoginThrottle, stops_after_five_failures_a_minute) {
  LoginThrottle throttle;
  const base::Time now = base::Time::now();
  for (size_t i = 0; i < kLoginFailuresMax; ++i) EXPECT_TRUE(throttle.try_login("ann", "10.0.0.1", now));
  EXPECT_FALSE(throttle.try_login("ann", "10.0.0.1", now));
  EXPECT_TRUE(throttle.try_login("ann", "10.0.0.2", now));
  EXPECT_TRUE(throttle.try_login("bob", "10.0.0.1", now));
  EXPECT_TRUE(throttle.try_login("ann", "10.0.0.1", {now.us + kLoginWindowUs}));
}

TEST(LoginThrottle, stops_one_sender_that_tries_many_accounts) {
  LoginThrottle throttle;
  const base::Time now = base::Time::now();
  const auto account = [](size_t i) { return "account-" + std::to_string(i); };
  for (size_t i = 0; i < kAddressFailuresMax; ++i) EXPECT_TRUE(throttle.try_login(account(i), "10.0.0.1", now));
  EXPECT_FALSE(throttle.try_login("ann", "10.0.0.1", now));
  EXPECT_TRUE(throttle.try_login("ann", "10.0.0.2", now));
  EXPECT_TRUE(throttle.try_login("ann", "10.0.0.1", {now.us + kLoginWindowUs}));
}

// One machine has all addresses of its network to choose from.
TEST(LoginThrottle, takes_an_ipv6_network_for_one_sender) {
  LoginThrottle throttle;
  const base::Time now = base::Time::now();
  for (size_t i = 0; i < kLoginFailuresMax; ++i) {
    EXPECT_TRUE(throttle.try_login("ann", "2001:db8:1:2::" + std::to_string(i), now));
  }
  EXPECT_FALSE(throttle.try_login("ann", "2001:db8:1:2:ffff::1", now));
  EXPECT_TRUE(throttle.try_login("ann", "2001:db8:1:3::1", now));
  EXPECT_TRUE(throttle.try_login("ann", "::ffff:10.0.0.1", now));
}

TEST(LoginThrottle, forgets_failures_after_a_success) {
  LoginThrottle throttle;
  const base::Time now = base::Time::now();
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(throttle.try_login("ann", "10.0.0.1", now));
    throttle.succeeded("ann", "10.0.0.1");
  }
}

TEST(Role, ladder_and_auditor) {
  EXPECT_TRUE(may(Role::administrator, Access::officer));
  EXPECT_TRUE(may(Role::senior_officer, Access::officer));
  EXPECT_FALSE(may(Role::officer, Access::senior_officer));
  EXPECT_TRUE(may(Role::auditor, Access::reader));
  EXPECT_FALSE(may(Role::auditor, Access::officer));
  EXPECT_FALSE(may(Role::senior_officer, Access::administrator));
  for (const Role role : {Role::auditor, Role::officer, Role::senior_officer, Role::administrator}) {
    EXPECT_EQ(role_named(name_of(role)), role);
  }
  EXPECT_FALSE(role_named("root"));
}

}  // namespace
}  // namespace redoubt::central
