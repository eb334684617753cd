#include "central/fleet/policy_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "central/state_schema.h"

namespace redoubt::central {
namespace {

using testing::ElementsAre;

class PolicyBookTest : public testing::Test {
 protected:
  PolicyBookTest() : state_(store::open_sqlite_state(directory_ / "state.db", state_migrations()).value()) {
    book_ = PolicyBook::open(*state_).value();
  }
  Result<PolicyExclusion> add(PolicyKind kind, const std::string& value) {
    return book_->add({.kind = kind, .value = value, .note = "why"}, "admin");
  }

  base::TempDir directory_;
  std::unique_ptr<store::StateDb> state_;
  std::unique_ptr<PolicyBook> book_;
};

TEST_F(PolicyBookTest, compiles_what_was_decided_and_counts_changes) {
  EXPECT_EQ(book_->compiled().version, 0U);
  const auto backup = add(PolicyKind::program, "/usr/bin/restic");
  ASSERT_TRUE(backup);
  ASSERT_TRUE(add(PolicyKind::path, "/var/cache/"));
  ASSERT_TRUE(add(PolicyKind::network, "10.0.0.0/8"));
  const link::HostPolicy policy = book_->compiled();
  EXPECT_EQ(policy.version, 3U);
  EXPECT_THAT(policy.programs, ElementsAre("/usr/bin/restic"));
  EXPECT_THAT(policy.paths, ElementsAre("/var/cache"));
  EXPECT_THAT(policy.networks, ElementsAre("10.0.0.0/8"));

  ASSERT_TRUE(book_->remove(backup->id));
  EXPECT_EQ(book_->remove(backup->id).error().code, Errc::not_found);
  const auto reopened = PolicyBook::open(*state_).value();
  EXPECT_EQ(reopened->compiled().version, 4U);
  EXPECT_TRUE(reopened->compiled().programs.empty());
  ASSERT_EQ(reopened->list().size(), 2U);
  EXPECT_EQ(reopened->list()[0].author, "admin");
}

TEST_F(PolicyBookTest, refuses_what_agents_could_not_compare) {
  for (const char* path : {"", "relative/path", "/", "/a//b", "/a/../b", "/a/.."}) {
    EXPECT_EQ(add(PolicyKind::path, path).error().code, Errc::invalid_argument) << path;
    EXPECT_EQ(add(PolicyKind::program, path).error().code, Errc::invalid_argument) << path;
  }
  for (const char* network : {"", "10.0.0.0/33", "example.org", "10.0.0"}) {
    EXPECT_EQ(add(PolicyKind::network, network).error().code, Errc::invalid_argument) << network;
  }
  ASSERT_TRUE(add(PolicyKind::network, "fd00::/8"));
  EXPECT_EQ(add(PolicyKind::network, "fd00::/8").error().code, Errc::already_exists);
  EXPECT_EQ(book_->compiled().version, 1U);
}

}  // namespace
}  // namespace redoubt::central
