#include "sensor/process_table.h"

#include <gtest/gtest.h>

namespace redoubt::sensor {
namespace {

constexpr int64_t kLater = ProcessTable::kEndedLifeNs + 1;

Process make(uint32_t pid, uint64_t start_ns, ProcessKey parent = {}) {
  return {.key = {pid, start_ns}, .parent = parent, .image = std::make_shared<Image>()};
}

TEST(ProcessTable, tells_users_of_one_number_apart) {
  ProcessTable table(10);
  ASSERT_NE(table.insert(make(7, 100)), nullptr);
  ASSERT_NE(table.insert(make(7, 200)), nullptr);
  EXPECT_EQ(table.size(), 2U);
  EXPECT_EQ(table.find({7, 200})->key.start_ns, 200U);
  EXPECT_EQ(table.find({7, 300}), nullptr);
}

TEST(ProcessTable, keeps_the_ended_for_late_events) {
  ProcessTable table(10);
  table.end(*table.insert(make(7, 100)), Life::ended, 0);
  table.expire(ProcessTable::kEndedLifeNs - 1);
  ASSERT_NE(table.find({7, 100}), nullptr);
  table.expire(kLater);
  EXPECT_EQ(table.find({7, 100}), nullptr);
}

TEST(ProcessTable, keeps_ended_parents_while_a_child_is_known) {
  ProcessTable table(10);
  table.insert(make(1, 1));
  Process* child = table.insert(make(2, 2, {1, 1}));
  table.end(*table.find({1, 1}), Life::ended, 0);
  table.expire(10 * kLater);
  ASSERT_NE(table.find({1, 1}), nullptr);
  table.end(*child, Life::ended, 10 * kLater);
  table.expire(20 * kLater);
  table.expire(20 * kLater);
  EXPECT_EQ(table.size(), 0U);
}

TEST(ProcessTable, counts_only_children_that_came_after_their_parent) {
  ProcessTable table(10);
  table.end(*table.insert(make(2, 2, {1, 1})), Life::ended, 0);
  table.insert(make(1, 1));
  table.insert(make(3, 3, {1, 1}));
  table.expire(kLater);
  EXPECT_EQ(table.find({1, 1})->children, 1U);
}

TEST(ProcessTable, lets_a_vanished_process_end_once) {
  ProcessTable table(10);
  Process* process = table.insert(make(7, 100));
  table.end(*process, Life::vanished, 0);
  EXPECT_EQ(process->life, Life::vanished);
  table.end(*process, Life::ended, 1);
  EXPECT_EQ(process->life, Life::ended);
  table.end(*process, Life::vanished, 2);
  EXPECT_EQ(process->life, Life::ended);
  table.expire(kLater);
  EXPECT_EQ(table.size(), 0U);
}

TEST(ProcessTable, forgets_the_longest_ended_when_full_and_never_a_running_one) {
  ProcessTable table(3);
  table.end(*table.insert(make(1, 1)), Life::ended, 0);
  table.end(*table.insert(make(2, 2)), Life::ended, 0);
  table.insert(make(3, 3));
  ASSERT_NE(table.insert(make(4, 4)), nullptr);
  EXPECT_EQ(table.find({1, 1}), nullptr);
  EXPECT_NE(table.find({2, 2}), nullptr);
  ASSERT_NE(table.insert(make(5, 5)), nullptr);
  EXPECT_EQ(table.insert(make(6, 6)), nullptr);
  EXPECT_NE(table.find({3, 3}), nullptr);
}

TEST(ProcessTable, stays_bounded_by_a_chain_of_processes_that_start_the_next_and_end) {
  constexpr size_t kMost = 100;
  ProcessTable table(kMost);
  ProcessKey parent{};
  for (uint32_t i = 1; i <= 10'000; ++i) {
    ASSERT_NE(table.insert(make(i, i, parent)), nullptr);
    if (Process* before = table.find(parent)) table.end(*before, Life::ended, i);
    parent = {i, i};
    table.expire(i);
    ASSERT_LE(table.size(), kMost);
  }
  EXPECT_NE(table.find(parent), nullptr);
}

}  // namespace
}  // namespace redoubt::sensor
