#include "cpu_budget.h"

#include <gtest/gtest.h>

namespace redoubt::agent {
namespace {

using sensor::Load;

constexpr int64_t kSecond = 1'000'000'000;

// Seconds of a process that uses so much of a core.
class Process {
 public:
  explicit Process(int budget_permille) : budget_(budget_permille) { run(CpuBudget::kStartSeconds, 0); }
  // Runs until the step changes, at most so many seconds; how many it took, or -1.
  int run(int seconds, int permille) {
    for (int second = 1; second <= seconds; ++second) {
      now_ns_ += kSecond;
      cpu_ns_ += permille * kSecond / 1000;
      if (budget_.look(cpu_ns_, now_ns_)) return second;
    }
    return -1;
  }
  Load load() const { return budget_.load(); }
  int used() const { return budget_.used_permille(); }

 private:
  CpuBudget budget_;
  int64_t now_ns_ = kSecond;
  int64_t cpu_ns_ = 0;
};

TEST(CpuBudget, takes_one_step_after_another_while_over_and_comes_back) {
  Process process(200);
  EXPECT_LE(process.run(10, 900), CpuBudget::kOverSeconds);
  EXPECT_EQ(process.load(), Load::hashing_off);
  EXPECT_EQ(process.run(10, 900), CpuBudget::kOverSeconds);
  EXPECT_EQ(process.load(), Load::reads_off);
  process.run(10, 900);
  process.run(10, 900);
  EXPECT_EQ(process.load(), Load::bulk_scarce);
  EXPECT_EQ(process.run(100, 900), -1) << "there is no further step";
  for (const Load load : {Load::bulk_limited, Load::reads_off, Load::hashing_off, Load::whole}) {
    EXPECT_GT(process.run(60, 50), 0);
    EXPECT_EQ(process.load(), load);
  }
  EXPECT_EQ(process.run(1000, 50), -1);
  EXPECT_EQ(process.used(), 50);
}

TEST(CpuBudget, stays_where_it_is_between_calm_and_over) {
  Process process(200);
  process.run(10, 900);
  EXPECT_EQ(process.run(1000, 180), -1);
  EXPECT_EQ(process.load(), Load::hashing_off);
}

TEST(CpuBudget, tries_again_later_each_time_it_was_too_early) {
  Process process(200);
  process.run(10, 900);
  int waited = 0;
  for (int i = 0; i < 4; ++i) {
    const int calm = process.run(2000, 10);
    EXPECT_EQ(process.load(), Load::whole);
    EXPECT_GT(calm, waited);
    waited = calm;
    EXPECT_GT(process.run(20, 900), 0);
  }
}

TEST(CpuBudget, does_not_judge_a_short_burst_the_start_or_without_a_limit) {
  Process process(200);
  EXPECT_EQ(process.run(1, 500), -1);
  EXPECT_EQ(process.run(20, 10), -1);
  Process unlimited(0);
  EXPECT_EQ(unlimited.run(100, 2000), -1);
  CpuBudget starting(200);
  EXPECT_FALSE(starting.look(0, kSecond));
  EXPECT_FALSE(starting.look(5 * kSecond, 6 * kSecond));
}

}  // namespace
}  // namespace redoubt::agent
