#include "store/state/grouped_writes.h"

#include <gtest/gtest.h>
#include <soci/soci.h>
#include <array>
#include <atomic>
#include <thread>

#include "base/file.h"

namespace redoubt::store {
namespace {

constexpr std::array kNumbers = {
    Migration{.version = 1, .name = "numbers", .sql = "CREATE TABLE numbers (n BIGINT PRIMARY KEY)"}};

class GroupedWritesTest : public testing::Test {
 protected:
  void SetUp() override {
    auto state = open_sqlite_state(directory_ / "state.db", kNumbers);
    ASSERT_TRUE(state) << state.error().message;
    state_ = *std::move(state);
    writes_ = std::make_unique<GroupedWrites>(*state_);
  }

  Status insert(long long number) {
    const auto work = [&](soci::session& sql) -> Status {
      sql << "INSERT INTO numbers (n) VALUES (:n)", soci::use(number);
      return {};
    };
    return number % 3 == 0 ? writes_->write_soon(work) : writes_->write(work);
  }
  long long count() {
    long long rows = 0;
    EXPECT_TRUE(state_->read([&](soci::session& sql) -> Status {
      sql << "SELECT count(*) FROM numbers", soci::into(rows);
      return {};
    }));
    return rows;
  }

  base::TempDir directory_;
  std::unique_ptr<StateDb> state_;
  std::unique_ptr<GroupedWrites> writes_;
};

TEST_F(GroupedWritesTest, every_thread_has_its_write_when_it_returns) {
  constexpr int kThreads = 8;
  constexpr int kWrites = 25;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kWrites; ++i) EXPECT_TRUE(insert(thread * kWrites + i));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count(), kThreads * kWrites);
}

TEST_F(GroupedWritesTest, one_that_fails_costs_no_other) {
  std::atomic<int> failed = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&, thread] {
      // Every second is of a number that is there.
      for (int i = 0; i < 20; ++i) {
        if (!insert(i % 2 == 0 ? -1 : thread * 100 + i)) ++failed;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count(), 8 * 10 + 1);
  EXPECT_EQ(failed, 8 * 10 - 1);
}

}  // namespace
}  // namespace redoubt::store
