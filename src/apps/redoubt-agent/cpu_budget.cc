#include "cpu_budget.h"

#include <time.h>

#include <algorithm>

namespace redoubt::agent {

namespace {

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr int kPermille = 1000;

}  // namespace

int64_t process_cpu_ns() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return int64_t{used.tv_sec} * kSecondNs + used.tv_nsec;
}

int CpuBudget::used_over(size_t looks) const {
  if (looks_.size() < 2) return 0;
  const Look& last = looks_.back();
  const Look& first = looks_[looks_.size() - 1 - std::min(looks, looks_.size() - 1)];
  const int64_t span_ns = last.now_ns - first.now_ns;
  return span_ns <= 0 ? 0 : static_cast<int>((last.cpu_ns - first.cpu_ns) * kPermille / span_ns);
}

int CpuBudget::used_permille() const { return used_over(kWindowSeconds); }

std::optional<sensor::Load> CpuBudget::look(int64_t cpu_ns, int64_t now_ns) {
  if (looks_.empty()) started_ns_ = now_ns;
  looks_.push_back({cpu_ns, now_ns});
  if (looks_.size() > kWindowSeconds + 1) looks_.pop_front();
  if (budget_permille_ == 0 || now_ns - started_ns_ < kStartSeconds * kSecondNs) return std::nullopt;
  const int step = static_cast<int>(load_);
  const int64_t since_s = (now_ns - changed_ns_) / kSecondNs;
  if (used_over(kOverSeconds) > budget_permille_) {
    if (since_s < kOverSeconds || step + 1 == static_cast<int>(sensor::kLoadSteps.size())) return std::nullopt;
    return change_to(step + 1, now_ns);
  }
  const bool calm = used_permille() * 100 < budget_permille_ * kCalmPartOfBudget;
  if (step == 0 || !calm || since_s < calm_s_) return std::nullopt;
  return change_to(step - 1, now_ns);
}

std::optional<sensor::Load> CpuBudget::change_to(int step, int64_t now_ns) {
  const bool eases = step < static_cast<int>(load_);
  if (!eases) {
    const bool too_early = eased_ && now_ns - changed_ns_ < 2 * calm_s_ * kSecondNs;
    if (too_early) calm_s_ = std::min<int64_t>(2 * calm_s_, kCalmSecondsLongest);
    if (!too_early && load_ == sensor::Load::whole) calm_s_ = kCalmSecondsFirst;
  }
  eased_ = eases;
  load_ = static_cast<sensor::Load>(step);
  changed_ns_ = now_ns;
  return load_;
}

}  // namespace redoubt::agent
