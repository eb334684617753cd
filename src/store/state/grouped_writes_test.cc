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
    return writes_->write(work);
  }
  // How often it was told that the number is written, or is not.
  struct Told {
    std::atomic<int> written = 0, failed = 0;
  };
  void insert_later(long long number, Told& told) {
    writes_->write_later(
        [number](soci::session& sql) -> Status {
          sql << "INSERT INTO numbers (n) VALUES (:n)", soci::use(number);
          return {};
        },
        [&told](const Status& written) { ++(written ? told.written : told.failed); });
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

// Who comes late, or never, delays the others by a moment.
TEST_F(GroupedWritesTest, waits_only_so_long_for_who_is_coming) {
  const Coming never(writes_->arrivals());
  for (long long i = 0; i < 10; ++i) {
    Coming own(writes_->arrivals());
    ASSERT_TRUE(writes_->write(
        [i](soci::session& sql) -> Status {
          sql << "INSERT INTO numbers (n) VALUES (:n)", soci::use(i);
          return {};
        },
        own));
  }
  EXPECT_EQ(count(), 10);
}

TEST_F(GroupedWritesTest, later_ones_go_with_the_next_write_and_ahead_of_it) {
  Told told;
  insert_later(1, told);
  insert_later(2, told);
  long long before = 0;
  ASSERT_TRUE(writes_->write([&](soci::session& sql) -> Status {
    sql << "SELECT count(*) FROM numbers", soci::into(before);
    return {};
  }));
  EXPECT_EQ(before, 2);
  EXPECT_EQ(told.written, 2);
}

TEST_F(GroupedWritesTest, later_ones_are_written_also_when_nobody_else_writes) {
  Told told;
  for (int i = 0; i < 3; ++i) {
    insert_later(i, told);
    while (told.written <= i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(count(), 3);
  insert_later(3, told);
  writes_->flush();
  EXPECT_EQ(count(), 4);
  insert_later(4, told);
  writes_->stop();
  EXPECT_EQ(count(), 5);
}

TEST_F(GroupedWritesTest, a_later_one_that_fails_costs_no_other_and_is_tried_again) {
  ASSERT_TRUE(insert(7));
  Told of_seven, of_others;
  insert_later(7, of_seven);
  insert_later(8, of_others);
  ASSERT_TRUE(insert(9));
  EXPECT_EQ(of_seven.failed, 1);
  EXPECT_EQ(of_others.written, 1);
  ASSERT_TRUE(writes_->write([](soci::session& sql) -> Status {
    sql << "DELETE FROM numbers WHERE n = 7";
    return {};
  }));
  while (of_seven.written == 0) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(count(), 3);
}

}  // namespace
}  // namespace redoubt::store
