#include "central/users/login_throttle.h"

namespace redoubt::central {

namespace {

// Pairs remembered at once; past it every new pair is refused until old ones have run out.
constexpr size_t kThrottledPairsMax = 10'000;

void drop_older(std::deque<base::Time>& failures, base::Time now) {
  while (!failures.empty() && failures.front().us <= now.us - kLoginWindowUs) failures.pop_front();
}

}  // namespace

bool LoginThrottle::try_login(const std::string& account, const std::string& address, base::Time now) {
  const std::lock_guard lock(mutex_);
  const std::pair key{account, address};
  if (failures_.size() >= kThrottledPairsMax && !failures_.contains(key)) {
    forget_old(now);
    if (failures_.size() >= kThrottledPairsMax) return false;
  }
  std::deque<base::Time>& failures = failures_[key];
  drop_older(failures, now);
  if (failures.size() >= kLoginFailuresMax) return false;
  failures.push_back(now);
  return true;
}

void LoginThrottle::succeeded(const std::string& account, const std::string& address) {
  const std::lock_guard lock(mutex_);
  failures_.erase({account, address});
}

void LoginThrottle::forget_old(base::Time now) {
  std::erase_if(failures_, [now](const auto& entry) { return entry.second.back().us <= now.us - kLoginWindowUs; });
}

}  // namespace redoubt::central
