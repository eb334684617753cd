// Keeps the agent within its share of one core: looks at its CPU time once a second and says which step of load the
// sensor takes. Over the budget for a few seconds: one step less. Well under it for a while: one step more, and later
// each time that turns out to be too early. Pure; one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "sensor/load.h"

namespace redoubt::agent {

// CPU time of this process so far.
int64_t process_cpu_ns();

class CpuBudget {
 public:
  static constexpr int kOverSeconds = 3;
  static constexpr int kWindowSeconds = 10;
  static constexpr int kCalmSecondsFirst = 30;
  static constexpr int kCalmSecondsLongest = 600;
  static constexpr int kStartSeconds = 10;      // start-up (loading programs, hashing what runs) is not judged
  static constexpr int kCalmPartOfBudget = 70;  // per cent

  // 0: no limit.
  explicit CpuBudget(int permille) : budget_permille_(permille) {}

  // One look: the process's CPU time and a clock's time. The new step where it changes.
  std::optional<sensor::Load> look(int64_t cpu_ns, int64_t now_ns);

  sensor::Load load() const { return load_; }
  int budget_permille() const { return budget_permille_; }
  // Over the last kWindowSeconds.
  int used_permille() const;

 private:
  struct Look {
    int64_t cpu_ns;
    int64_t now_ns;
  };
  int used_over(size_t looks) const;
  std::optional<sensor::Load> change_to(int step, int64_t now_ns);

  const int budget_permille_;
  std::deque<Look> looks_;
  sensor::Load load_ = sensor::Load::whole;
  int64_t started_ns_ = 0;
  int64_t changed_ns_ = 0;
  int64_t calm_s_ = kCalmSecondsFirst;
  bool eased_ = false;  // the latest change was one to more
};

}  // namespace redoubt::agent
